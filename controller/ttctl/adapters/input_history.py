# SPDX-License-Identifier: Apache-2.0
"""What was typed in conversations: a JSON text a line, so that a block of lines is one entry.

Two conversations at once lose nothing: each entry is appended by one write under a lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ttctl.adapters.files import make_private, write_atomically
from ttctl.errors import LockedError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT = 1000
"""Entries that are kept; the file is cut when it holds twice as many."""
LONGEST = 20_000
"""Characters of an entry that is kept; more was pasted, and is no line to recall."""
WAIT_S = 1.0
POLL_S = 0.02


class InputHistory:
    """The inputs in one file."""

    def __init__(self, path: Path) -> None:
        """`path` is made with the first input."""
        self._path = path

    def recent(self) -> tuple[str, ...]:
        """Return the last inputs, the oldest first; a line that is damaged is left out."""
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        return tuple(text for line in lines[-KEPT:] if (text := _entry(line)))

    def add(self, text: str) -> None:
        """Keep one more input; the same one twice in a row is kept once.

        Raises:
            LockedError: Another conversation holds the file for a second.
            TtctlError: It cannot be written.
        """
        if not text.strip() or len(text) > LONGEST:
            return
        line = json.dumps(text)
        make_private(self._path.parent)
        with self._held():
            known = self._lines()
            if known[-1:] == [line]:
                return
            if len(known) >= 2 * KEPT:
                kept = "\n".join([*known[1 - KEPT :], line]) + "\n"
                write_atomically(self._path, kept, mode=0o600)
            else:
                self._append(line)

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise _unwritable(self._path, exc) from exc

    def _append(self, line: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            handle = os.open(self._path, flags, 0o600)
            try:
                os.write(handle, f"{line}\n".encode())
            finally:
                os.close(handle)
        except OSError as exc:
            raise _unwritable(self._path, exc) from exc

    @contextmanager
    def _held(self) -> Iterator[None]:
        # A file of its own: the history's is replaced when it is cut.
        lock = self._path.with_name(f"{self._path.name}.flock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise _unwritable(lock, exc) from exc
        try:
            _acquire(handle, lock)
            yield
        finally:
            os.close(handle)


def _acquire(handle: int, path: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if time.monotonic() >= deadline:
                raise LockedError(
                    "The history of inputs is held by another conversation.",
                    why=f"It was not free within {WAIT_S:.0f} s.",
                    evidence=str(path),
                    next_step="ttctl chat",
                ) from exc
            time.sleep(POLL_S)
        else:
            return


def _entry(line: str) -> str:
    try:
        text = json.loads(line)
    except ValueError:
        return ""
    return text if isinstance(text, str) else ""


def _unwritable(path: Path, exc: OSError) -> TtctlError:
    return TtctlError(
        "The history of inputs cannot be kept.",
        why=exc.strerror or str(exc),
        evidence=str(path),
        next_step=f"ls -ld {path}",
    )
