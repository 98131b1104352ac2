# SPDX-License-Identifier: Apache-2.0
"""A screen of its own on the terminal, drawn over in place; what was there before comes back.

Source: ECMA-48 (CUP, ED, EL), and for the alternate screen and the cursor
https://invisible-island.net/xterm/ctlseqs/ctlseqs.html, private modes 1049 and 25.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType
    from typing import TextIO

ENTER = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
LEAVE = "\x1b[?25h\x1b[?1049l"
END_KEYS = b"qQ"
KEYS = 64
"""Bytes of keys that are read at once."""

Woken = Literal["time", "resized", "ended"]


class LiveScreen:
    """Lines on a terminal; only those that changed are written."""

    def __init__(self, stream: TextIO) -> None:
        """Nothing is drawn before `shown`."""
        self._stream = stream
        self._before: tuple[str, ...] | None = None
        self._kept: list[Any] | None = None
        self._keys = -1
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        os.set_blocking(self._woken, False)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Take the terminal for the length of the block; it is given back however that ends."""
        handled = {
            number: signal.signal(number, handler)
            for number, handler in (
                (signal.SIGWINCH, self._wake),
                (signal.SIGTSTP, self._suspend),
            )
        }
        try:
            self._enter()
            yield
        finally:
            self._leave()
            for number, handler in handled.items():
                signal.signal(number, handler)
            os.close(self._woken)
            os.close(self._waker)

    def size(self) -> tuple[int, int]:
        """Return (columns, rows) that may be written to.

        The last column stays free: behind it some terminals wrap.
        """
        with suppress(OSError, ValueError):
            columns, rows = os.get_terminal_size(self._stream.fileno())
            if columns and rows:
                return columns - 1, rows
        columns, rows = shutil.get_terminal_size()
        return columns - 1, rows

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines and nothing else."""
        new = tuple(lines)
        before = self._before
        if before is None:
            text = "\x1b[H" + "".join(f"\x1b[{at};1H{one}\x1b[K" for at, one in _numbered(new))
            text += f"\x1b[{len(new) + 1};1H\x1b[J"
        else:
            changed = ((at, one) for at, one in _numbered(new) if before[at - 1 : at] != (one,))
            text = "".join(f"\x1b[{at};1H{one}\x1b[K" for at, one in changed)
            if len(new) < len(before):
                text += f"\x1b[{len(new) + 1};1H\x1b[J"
        self._before = new
        if text:
            self._say(text)

    def wait(self, seconds: float) -> Woken:
        """Wait for the time to pass, for another size, or for `q`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            watched = [self._woken, *([self._keys] if self._keys >= 0 else [])]
            ready, _, _ = select.select(watched, [], [], left)
            if self._woken in ready:
                self._drain()
                self._before = None
                return "resized"
            if ready and self._is_end():
                return "ended"
        return "time"

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._woken, KEYS):
                pass

    def _is_end(self) -> bool:
        try:
            typed = os.read(self._keys, KEYS)
        except OSError:
            typed = b""
        if not typed:
            # Its other end is gone: nobody will type there again.
            self._keys = -1
        return any(key in END_KEYS for key in typed)

    def _enter(self) -> None:
        self._before = None
        with suppress(OSError, ValueError, AttributeError, termios.error):
            keys = sys.stdin.fileno()
            if os.isatty(keys):
                self._kept = termios.tcgetattr(keys)
                silent = termios.tcgetattr(keys)
                silent[3] &= ~(termios.ICANON | termios.ECHO)
                termios.tcsetattr(keys, termios.TCSADRAIN, silent)
                self._keys = keys
        self._say(ENTER)

    def _leave(self) -> None:
        with suppress(OSError, ValueError):
            self._say(LEAVE)
        if self._kept is not None and self._keys >= 0:
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._keys, termios.TCSADRAIN, self._kept)
            self._kept = None

    def _say(self, text: str) -> None:
        """Write past Python's buffer, which a signal that comes meanwhile could not use."""
        try:
            handle = self._stream.fileno()
        except (OSError, ValueError):
            self._stream.write(text)
            return
        left = text.encode(errors="replace")
        while left:
            left = left[os.write(handle, left) :]

    def _wake(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        with suppress(BlockingIOError):
            os.write(self._waker, b"!")

    def _suspend(self, signum: int, frame: FrameType | None) -> None:
        """Give the terminal back, stop, and take it again when it goes on."""
        self._leave()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # Here it goes on.
        signal.signal(signal.SIGTSTP, self._suspend)
        self._enter()
        self._wake(signum, frame)


def _numbered(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    return ((at, line) for at, line in enumerate(lines, start=1))
