# SPDX-License-Identifier: Apache-2.0
"""Keep the generations of stacks: a folder each, which has its name once it is whole."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import TYPE_CHECKING, Any

from ttctl.adapters.files import STRAY_PREFIX, make_private, write_atomically
from ttctl.errors import BadFileError, TtctlError, UsageError
from ttctl.model.generation import KEPT, Generation
from ttctl.model.spec import Request

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER, RENDERED, ABOUT = "generations", "rendered", "generation.json"
LOCK_NAME = "ttctl.lock"
SITE = "site/"
"""Secret files of a build lie there: they belong to the place, and to no generation."""
SCHEMA = 1


class GenerationFolders:
    """Folders named by number in a stack's own folder, for the user alone.

    A generation is written under a temporary name, and renamed when all of it is there. The newest
    one is never removed, so that the next number is known from what is there.
    """

    def __init__(self, home: Callable[[str], Path], *, root: Path) -> None:
        """`home` returns a stack's own folder, of those in `root`."""
        self._home, self._root = home, root

    def stacks(self) -> tuple[str, ...]:
        """Return the stacks of which one is kept, whether they have a lock or not."""
        found: list[str] = []
        for path in sorted(self._root.glob(f"*/{FOLDER}")):
            # A folder that somebody put aside has a name that no stack has.
            with suppress(UsageError):
                found += [path.parent.name] if self._numbers(path.parent.name) else []
        return tuple(found)

    def kept(self, stack: str) -> tuple[Generation, ...]:
        """Return those that are kept, the oldest first."""
        return tuple(_read(self._folder(stack) / str(one)) for one in self._numbers(stack)[-KEPT:])

    def files(self, stack: str, number: int) -> dict[str, str]:
        """Return the rendered folder of one, by relative path, its lock among it."""
        root = self._folder(stack) / str(number) / RENDERED
        try:
            return {
                path.relative_to(root).as_posix(): path.read_bytes().decode()
                for path in sorted(root.rglob("*"))
                if path.is_file()
            }
        except (OSError, UnicodeDecodeError) as exc:
            raise _damaged(root.parent, str(exc)) from exc

    def is_kept_for(self, stack: str) -> bool:
        """Return whether generations were kept already when the stack was last changed."""
        return self._folder(stack).is_dir()

    def begin(self, stack: str) -> None:
        """Keep generations for a stack from now on."""
        make_private(self._home(stack))
        make_private(self._folder(stack))

    def keep(self, stack: str, files: dict[str, str], *, request: Request, why: str) -> int:
        """Keep a state that is ready now as the newest generation; return its number."""
        self.begin(stack)
        folder, numbers = self._folder(stack), self._numbers(stack)
        number = numbers[-1] + 1 if numbers else 1
        try:
            made = Path(tempfile.mkdtemp(prefix=STRAY_PREFIX, dir=folder))
            try:
                _fill(made, files, request=request, why=why)
                made.rename(folder / str(number))
            finally:
                shutil.rmtree(made, ignore_errors=True)
            _settle(folder)
            for old in self._numbers(stack)[:-KEPT]:
                _remove(folder, old)
        except OSError as exc:
            raise TtctlError(
                f"A generation of {stack!r} could not be kept.",
                why=exc.strerror or str(exc),
                evidence="Those before are unchanged.",
                next_step=f"ls -ld {quote(str(folder))}",
            ) from exc
        return number

    def _folder(self, stack: str) -> Path:
        return self._home(stack) / FOLDER

    def _numbers(self, stack: str) -> list[int]:
        """Return the numbers of those that are whole."""
        try:
            names = [path.name for path in self._folder(stack).iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(name) for name in names if name.isdecimal() and name.isascii())


def _fill(made: Path, files: dict[str, str], *, request: Request, why: str) -> None:
    for name, text in files.items():
        if not name.startswith(SITE):
            target = made / RENDERED / name
            for parent in reversed(PurePosixPath(name).parents):
                make_private(made / RENDERED / parent)
            write_atomically(target, text, mode=0o600)
    about = {
        "schema": SCHEMA,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "why": why,
        "request": {
            **asdict(request),
            # Who is asked is a matter of each command.
            "unattended": False,
        },
    }
    write_atomically(made / ABOUT, f"{json.dumps(about, indent=1, sort_keys=True)}\n", mode=0o600)


def _settle(folder: Path) -> None:
    """Have the file system keep the new name before an old one goes."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: Path, number: int) -> None:
    """Remove one; under another name first, as what is half removed is no generation."""
    gone = folder / f"{STRAY_PREFIX}gone-{number}"
    (folder / str(number)).rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _read(folder: Path) -> Generation:
    from ttctl.adapters.lock_file import read_lock  # noqa: PLC0415 - loads pydantic

    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise _damaged(folder, str(exc)) from exc
    lock = read_lock(folder / RENDERED / LOCK_NAME)
    match about:
        case {"schema": 1, "at": str(at), "why": str(why), "request": dict(asked)} if lock:
            with suppress(TypeError, ValueError):
                return Generation(
                    number=int(folder.name), at=at, why=why, request=_request(asked), lock=lock
                )
        case _:
            pass
    raise _damaged(folder, f"{ABOUT} is none of schema {SCHEMA}, or there is no lock")


def _request(asked: dict[str, object]) -> Request:
    known = {one.name for one in fields(Request)}
    values: dict[str, Any] = {
        name: _tuples(value) for name, value in asked.items() if name in known
    }
    if not isinstance(values.get("model"), str):
        raise TypeError
    return Request(**values)


def _tuples(value: object) -> object:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _damaged(folder: Path, why: str) -> BadFileError:
    return BadFileError(
        f"The generation in {str(folder)!r} cannot be read.",
        why=why,
        evidence=str(folder),
        next_step=f"mv {quote(str(folder))} {quote(f'{folder}.damaged')}",
    )
