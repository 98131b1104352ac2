# SPDX-License-Identifier: Apache-2.0
"""Run a program as a person does, on a terminal, or as a program does, in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LIMIT_S = 900.0
ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78])"
)
"""What a terminal acts on and does not show: ECMA-48 control sequences, titles, character sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that ended, and all that it wrote, in the order in which it came."""

    code: int
    text: str


def in_a_pipe(
    words: Sequence[str], *, environ: Mapping[str, str], folder: Path, limit_s: float = LIMIT_S
) -> Ran:
    """Run one command; nothing of it is a terminal, and nobody types."""
    done = subprocess.run(
        words,
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=limit_s,
        check=False,
    )
    return Ran(code=done.returncode, text=done.stdout.decode(errors="replace"))


def on_a_terminal(
    words: Sequence[str],
    *,
    environ: Mapping[str, str],
    folder: Path,
    columns: int = 100,
    lines: int = 50,
    limit_s: float = LIMIT_S,
) -> Ran:
    """Run one command on a terminal of its own; nobody types.

    Raises:
        TimeoutError: It did not end; it is killed.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    try:
        child = subprocess.Popen(
            words,
            cwd=folder,
            env=dict(environ),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    try:
        text = _read(ours, time.monotonic() + limit_s)
        code = child.wait(timeout=10)
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return Ran(code=code, text=text.replace("\r\n", "\n"))


def _read(end: int, deadline: float) -> str:
    """Read until the other end is closed."""
    pieces: list[bytes] = []
    while True:
        ready, _, _ = select.select([end], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError("a command on a terminal did not end")
        try:
            piece = os.read(end, 65536)
        except OSError:
            # EIO is how Linux says that the last program has closed the terminal.
            piece = b""
        if not piece:
            return b"".join(pieces).decode(errors="replace")
        pieces.append(piece)


def without_escapes(text: str) -> str:
    """Return what a person reads."""
    return ESCAPE.sub("", text)
