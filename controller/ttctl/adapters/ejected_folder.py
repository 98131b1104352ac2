# SPDX-License-Identifier: Apache-2.0
"""Read and write the folder of an ejected service; what is the user's is never overwritten."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.files import STRAY_PREFIX, write_atomically
from ttctl.adapters.toml import parse_toml
from ttctl.errors import BadFileError, TtctlError, UsageError
from ttctl.model.ejected import SERVICE_FILE, SOURCES, Ejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_BYTES = 16 << 20
"""Of all sources together: they are carried in the rendered folder, too."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_PASSED_OVER = "__pycache__"


class ServiceFile(BaseModel):
    """`ttctl-service.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_: Literal[1] = Field(alias="schema")
    service: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")
    ttctl: str
    image: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,510}$")
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sources_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EjectedFolders:
    """Folders anywhere on this machine."""

    def read(self, folder: str, *, next_step: str) -> Ejected:
        """Read a folder."""
        root = Path(folder).expanduser().resolve()
        if not (root / SERVICE_FILE).is_file():
            raise UsageError(
                f"{str(root)!r} holds no service that was ejected.",
                why="--from takes a folder that `ttctl eject` wrote.",
                evidence=f"It has no {SERVICE_FILE}.",
                next_step=next_step,
            )
        found = parse_toml(root / SERVICE_FILE, ServiceFile)
        return Ejected(
            service=found.service,
            folder=str(root),
            image=found.image,
            sources_sha256=found.sources_sha256,
            dockerfile=_text(root / "Dockerfile"),
            files=tuple(_sources(root)),
        )

    def check(self, folder: Path, *, force: bool) -> None:
        """Refuse to write to a folder that holds something else than an ejected service."""
        if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
            return
        ours = (folder / SERVICE_FILE).is_file()
        if ours and force:
            return
        raise UsageError(
            f"{str(folder)!r} is not an empty folder.",
            why="A service was ejected to it: --force moves that aside and writes anew."
            if ours
            else "It holds what ttctl did not write, and nothing of it is overwritten.",
            evidence=f"It has {'a' if ours else 'no'} {SERVICE_FILE}.",
            next_step=f"ls -la {shlex.quote(str(folder))}   # then name another with -o",
        )

    def write(self, folder: Path, files: Mapping[str, tuple[str, bool]]) -> Path | None:
        """Write a folder, whole or not at all, and return where an earlier one was moved.

        Raises:
            TtctlError: The file system refuses.
        """
        folder = folder.expanduser().absolute()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=STRAY_PREFIX, dir=folder.parent))
            try:
                _fill(made, files)
                return _put(made, folder)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        except OSError as exc:
            raise TtctlError(
                f"{str(folder)!r} could not be written.",
                why=exc.strerror or "the file system refused",
                evidence="What was there before is unchanged.",
                next_step=f"ls -ld {shlex.quote(str(folder.parent))}",
            ) from exc


def _fill(folder: Path, files: Mapping[str, tuple[str, bool]]) -> None:
    for name, (text, executable) in files.items():
        write_atomically(folder / name, text, mode=0o755 if executable else 0o644)
    for one in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        # An image's user reads what was copied from here.
        one.chmod(0o755)


def _put(made: Path, folder: Path) -> Path | None:
    """Give a filled folder its name; what had it and is not empty gets another one."""
    if not folder.is_dir() or not any(folder.iterdir()):
        made.rename(folder)
        return None
    names = (folder.with_name(f"{folder.name}.before{n or ''}") for n in count())
    before = next(one for one in names if not os.path.lexists(one))
    folder.rename(before)
    try:
        made.rename(folder)
    except OSError:
        before.rename(folder)
        raise
    return before


def _sources(root: Path) -> Iterator[tuple[str, str, bool]]:
    size = 0
    for path in _files_below(root / SOURCES):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() or not path.is_file():
            raise _wrong(path, "It is a link or no file, and only files come into an image.")
        if not all(_NAME.fullmatch(part) for part in name.split("/")):
            raise _wrong(path, "Its name has a character that a build could misread.")
        size += path.stat().st_size
        if size > MOST_BYTES:
            raise _wrong(root / SOURCES, f"Its files are more than {MOST_BYTES >> 20} MiB.")
        text = _text(path)
        yield name, text, bool(path.stat().st_mode & 0o100) or text.startswith("#!")


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield everything but folders in a fixed order; what editors and Python leave is not there."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == _PASSED_OVER:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        else:
            yield path


def _text(path: Path) -> str:
    try:
        # Not as a text file: a line's end is carried as it is.
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as exc:
        raise _wrong(path, f"It cannot be read as UTF-8 text: {exc}") from exc


def _wrong(path: Path, why: str) -> BadFileError:
    return BadFileError(
        f"{str(path)!r} cannot be taken.",
        why=why,
        evidence=str(path),
        next_step=f"ls -la {shlex.quote(str(path))}",
    )
