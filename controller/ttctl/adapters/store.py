# SPDX-License-Identifier: Apache-2.0
"""A stack's state folder: the rendered folder with its lock, the secrets, the logs.

What checks a lock and writes it is loaded when one is: `status` and `ps` do without.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import sweep_abandoned, sweep_strays, write_atomically
from ttctl.adapters.kernel_lock import held
from ttctl.adapters.key_ring import (
    new_key,
    read_key,
    read_rows,
    secrets_in,
    sha256_of,
    write_rows,
)
from ttctl.adapters.lock_glance import lock_summary
from ttctl.errors import TtctlError
from ttctl.model.override import OVERRIDE_NAME
from ttctl.rules.keys import holds, mended
from ttctl.rules.stack import checked_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.adapters.doing import DoingFile
    from ttctl.model.lock import Lock
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.override import Override
    from ttctl.model.protocols import Reporter

LOCK_NAME = "ttctl.lock"
LOCK_FILE = "stack.flock"
"""The kernel's lock of a stack."""


class StateFolder:
    """The stacks under one state folder, each in a folder of its own, for the user alone."""

    def __init__(self, root: Path, doing: DoingFile | None = None) -> None:
        """`root` is `.../ttctl/stacks`; `doing` tells others what is done while a stack is held."""
        self._root = root
        self._doing = doing

    def stacks(self) -> tuple[str, ...]:
        """Return the names of the stacks that have a lock."""
        return tuple(
            sorted(path.parent.parent.name for path in self._root.glob(f"*/rendered/{LOCK_NAME}"))
        )

    def owner(self) -> str:
        """Return a short name of this state folder, for the containers' labels."""
        return hashlib.sha256(str(self._root.resolve()).encode()).hexdigest()[:16]

    def home(self, stack: str) -> Path:
        """Return the stack's folder."""
        return self._root / checked_name(stack)

    def folder(self, stack: str) -> Path:
        """Return where the stack's rendered folder lies."""
        return self.home(stack) / "rendered"

    def secrets(self, stack: str) -> Path:
        """Return the folder that the gateway mounts: hashes of keys, no key."""
        return self.home(stack) / "secrets" / "gateway"

    def key_file(self, stack: str) -> Path:
        """Return where the stack's key lies."""
        return self.home(stack) / "secrets" / "api-key"

    def lock(self, stack: str) -> Lock | None:
        """Read the stack's lock, None where there is none."""
        from ttctl.adapters.lock_file import read_lock

        return read_lock(self.folder(stack) / LOCK_NAME)

    def summary(self, stack: str) -> LockSummary | None:
        """Read what is shown of the stack's lock, None where there is none."""
        return lock_summary(self.folder(stack) / LOCK_NAME)

    @contextmanager
    def exclusive(self, stack: str, *, timeout_s: float, reporter: Reporter) -> Iterator[None]:
        """Hold the stack's kernel lock for the length of the block.

        What a kill left half written in its folder goes first: nobody else writes there now. Of
        what all stacks share goes what nobody writes any more.
        """
        home = self.home(stack)
        told = self._doing.kept_in(home) if self._doing else nullcontext()
        with held(home / LOCK_FILE, timeout_s=timeout_s, reporter=reporter):
            sweep_strays(home)
            sweep_abandoned(self._root.parent)
            with told:
                yield

    @contextmanager
    def pulling(self, reporter: Reporter) -> Iterator[None]:
        """Tell others of what is fetched for no stack, for the length of the block."""
        if self._doing is None:
            yield
            return
        from ttctl.adapters.pulls import FOLDER, told_in

        with told_in(self._root.parent / FOLDER, self._doing, reporter):
            yield

    def lock_text(self, lock: Lock) -> str:
        """Return the lock file's text."""
        from ttctl.adapters.lock_file import lock_text

        return lock_text(lock)

    def has_key(self, stack: str) -> bool:
        """Return whether the key and its hash are there and belong together."""
        try:
            key, rows = read_key(self.key_file(stack)), read_rows(self.secrets(stack))
        except TtctlError:
            return False
        return bool(key) and holds(rows, sha256_of(key))

    def key(self, stack: str) -> str:
        """Return the stack's key.

        Raises:
            TtctlError: None was made, or the file cannot be read.
        """
        try:
            return self.key_file(stack).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise TtctlError(
                f"The stack {stack!r} has no key that can be read.",
                why=str(exc),
                evidence=str(self.key_file(stack)),
                next_step=f"ttctl status {stack}",
            ) from exc

    def ensure_key(self, stack: str) -> Path:
        """Make the key and its hash where they are missing; return the key's file.

        Raises:
            PrivilegeError: Others of this host could read them.
        """
        secrets_in(self.home(stack))
        path, folder = self.key_file(stack), self.secrets(stack)
        key, made = read_key(path), 0
        if not key:
            key, made = new_key(), int(time.time())
            write_atomically(path, f"{key}\n", mode=0o600)
        write_rows(folder, mended(read_rows(folder), sha256_of(key), made=made))
        return path

    def forget(self, stack: str) -> None:
        """Remove the stack's lock and rendered folder, and its key where one is half made.

        The file of the kernel's lock stays: whoever waits for it holds it open. So does a
        compose.override.yaml: it is the user's.

        Raises:
            TtctlError: The file system refuses.
        """
        folder = self.folder(stack)
        try:
            # First its name: what is half removed is no stack any more.
            (folder / LOCK_NAME).unlink(missing_ok=True)
            if (folder / OVERRIDE_NAME).exists():
                _prune(folder, keep=frozenset({OVERRIDE_NAME}))
            elif folder.exists():
                shutil.rmtree(folder)
            if (secrets := self.home(stack) / "secrets").exists():
                shutil.rmtree(secrets)
        except OSError as exc:
            raise TtctlError(
                f"The stack {stack!r} could not be removed.",
                why=exc.strerror or "the file system refused",
                evidence=str(exc.filename or folder),
                next_step=f"ls -ld {quote(str(folder))}",
            ) from exc

    def read_folder(self, folder: Path) -> dict[str, str]:
        """Return the files of a rendered folder by relative path, unreadable ones as empty."""
        files: dict[str, str] = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name != OVERRIDE_NAME:
                # Not as text: a line's end that another wrote is a change, too.
                files[name] = path.read_bytes().decode(errors="replace")
        return files

    def override(self, folder: Path) -> Override | None:
        """Return what the user's own file beside compose.yaml says, None where there is none.

        Raises:
            BadFileError: It cannot be read, or is none: compose would pass it over in silence.
        """
        path = folder / OVERRIDE_NAME
        if not os.path.lexists(path):
            return None
        from ttctl.adapters.override import read_override

        return read_override(path)

    def write_folder(
        self, folder: Path, files: dict[str, tuple[str, bool]], *, prune: bool
    ) -> None:
        """Make `folder` hold these files: path to (text, executable).

        The lock comes last: where it is, everything that it speaks of is. `prune` removes what is
        not among them; a folder that the user named is never pruned.
        """
        for name, (text, executable) in sorted(files.items(), key=lambda item: _lock_last(item[0])):
            target = folder / name
            mode = _mode(name, executable=executable)
            if not _holds(target, text, mode):
                write_atomically(target, text, mode=mode)
        if prune:
            _prune(folder, keep=frozenset({*files, OVERRIDE_NAME}))
        for path in {parent for name in files for parent in Path(name).parents}:
            (folder / path).chmod(0o755)


def _mode(name: str, *, executable: bool) -> int:
    if name.startswith("site/"):
        return 0o600
    return 0o755 if executable else 0o644


def _holds(target: Path, text: str, mode: int) -> bool:
    if not target.is_file() or target.stat().st_mode & 0o777 != mode:
        return False
    return target.read_bytes() == text.encode()


def _prune(folder: Path, *, keep: frozenset[str]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(folder).as_posix() not in keep:
            path.unlink()


def _lock_last(path: str) -> tuple[bool, str]:
    return (path == LOCK_NAME, path)
