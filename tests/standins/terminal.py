# SPDX-License-Identifier: Apache-2.0
"""A program at a terminal of its own, as a person sees it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LIMIT_S = 60
TAKES_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
UP = "\x1b[A"
PASTE = "\x1b[200~{}\x1b[201~"
"""What a terminal sends around what is pasted."""


class Terminal:
    """What is typed, and what came back."""

    def __init__(self, command: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.child = subprocess.Popen(
            [sys.executable, "-c", TAKES_TERMINAL, *command],
            cwd=cwd,
            env={"TERM": "xterm-256color", **environ},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._seen = ""
        self.all = ""

    def resize(self, columns: int, rows: int) -> None:
        termios.tcsetwinsize(self._master, (rows, columns))

    def mode(self) -> list[Any]:
        """Return how the terminal handles what is typed."""
        return termios.tcgetattr(self._master)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def see(self, text: str) -> str:
        """Read on until `text` has come; return what came up to it."""
        assert self._comes(text, LIMIT_S), f"{text!r} did not come: {self._seen!r}"
        before, _, self._seen = self._seen.partition(text)
        return before

    def press(self, key: str, *, until: str) -> None:
        """Press a key, again where nothing came of it.

        Python's readline loses a Ctrl-C that comes between its prompt and its first wait.
        """
        for _ in range(LIMIT_S):
            self.type(key)
            if self._comes(until, 1):
                self.see(until)
                return
        raise AssertionError(f"{until!r} did not come: {self._seen!r}")

    def _comes(self, text: str, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while text not in self._seen:
            left = max(0, deadline - time.monotonic())
            ready, _, _ = select.select([self._master], [], [], left)
            if not ready:
                return False
            try:
                came = os.read(self._master, 65536).decode(errors="replace")
            except OSError:
                came = ""
            assert came, f"{text!r} did not come before the end: {self._seen!r}"
            self._seen += came
            self.all += came
        return True

    def ends(self) -> int:
        """Wait for the end of the program and return its exit code."""
        return self.child.wait(LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self._master)
