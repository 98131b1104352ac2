# SPDX-License-Identifier: Apache-2.0
"""One line on a terminal that is written over while something runs, and one for each part of it."""

from __future__ import annotations

import shutil
import threading
import time
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from ttctl.cli.palette import Palette

TICK_S = 0.1
BAR = 24
"""Columns of the bar."""
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
CLEAR = "\r\x1b[2K"
"""To the line's begin, and erase it. Source: ECMA-48, EL."""
CLEAR_BELOW = "\r\x1b[J"
"""To the line's begin, and erase it and all below. Source: ECMA-48, ED."""
PARTS = 8
"""Parts that are shown at the same time; as many files are fetched at once."""


class LiveLine:
    """A spinner, a title, a bar where there are counts, and the time; drawn by a thread."""

    def __init__(self, stream: TextIO, palette: Palette) -> None:
        """Nothing is drawn before `start`."""
        self._stream = stream
        self._palette = palette
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._title = ""
        self._share: float | None = None
        self._amount = ""
        self._parts: dict[str, tuple[float, str]] = {}
        self._below = 0
        self._started = 0.0
        self._ticks = 0

    def start(self, title: str) -> None:
        """Draw the line from now on."""
        self._title, self._share, self._amount = title, None, ""
        self._parts.clear()
        self._started = time.monotonic()
        self._ended.clear()
        # It never keeps a command from ending.
        self._thread = threading.Thread(target=self._draw_on, daemon=True)
        self._thread.start()

    def update(self, done: float, total: float, amount: str) -> None:
        """Move the bar; the next tick shows it."""
        with self._lock:
            self._share = min(1.0, done / total) if total > 0 else None
            self._amount = amount

    def part(self, name: str, done: float, total: float, amount: str) -> None:
        """Move a bar of its own, below the line; it goes when its part is done."""
        with self._lock:
            if done >= total:
                self._parts.pop(name, None)
            else:
                self._parts[name] = (done / total, amount)

    def above(self, text: str) -> None:
        """Write a line that stays, above the live one."""
        with self._lock:
            self._write(f"{self._erased()}{text}\n")

    def stop(self) -> None:
        """Take the line away."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            self._write(self._erased())

    def _draw_on(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                self._write(self._erased() + self._text() + self._part_lines())
            self._ticks += 1
            self._ended.wait(TICK_S)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _erased(self) -> str:
        """Return what takes away all that was drawn; the cursor is on the line itself."""
        below, self._below = self._below, 0
        return CLEAR_BELOW if below else CLEAR

    def _part_lines(self) -> str:
        """Return the lines of the parts, and the way back up. Source: ECMA-48, CUU."""
        columns, rows = shutil.get_terminal_size()
        shown = list(self._parts.items())[: max(0, min(PARTS, rows - 2))]
        if not shown:
            return ""
        self._below = len(shown)
        lines = "".join(f"\n{self._part_line(*one, columns=columns - 1)}" for one in shown)
        return f"{lines}\r\x1b[{len(shown)}A"

    def _part_line(self, name: str, state: tuple[float, str], *, columns: int) -> str:
        share, amount = state
        tail = cut(f"  {amount}", max(0, columns - 4))
        room = columns - 4 - len(tail)
        bar = f"  {'━' * round(BAR * share):<{BAR}}" if room >= 2 * BAR else ""
        paint = self._palette.paint
        title = cut(name, max(0, room - len(bar)))
        return f"    {title}{paint(bar, 'accent')}{paint(tail, 'dim')}"

    def _text(self) -> str:
        seconds = int(time.monotonic() - self._started)
        clock = f"{seconds // 60}:{seconds % 60:02}"
        columns = shutil.get_terminal_size().columns - 1
        # What goes on may be longer than the line: a line that wraps is not written over.
        amount = cut(self._amount, max(0, columns - 6 - len(clock)))
        tail = f"  {amount}  {clock}" if amount else f"  {clock}"
        room = columns - 2 - len(tail)
        bar = "" if self._share is None or room < 2 * BAR else "━" * round(BAR * self._share)
        space = f"  {bar:<{BAR}}" if bar or (self._share is not None and room >= 2 * BAR) else ""
        title = cut(self._title, max(0, room - len(space)))
        paint = self._palette.paint
        spinner = paint(SPINNER[self._ticks % len(SPINNER)], "accent")
        return f"{spinner} {title}{paint(space, 'accent')}{paint(tail, 'dim')}"


def cut(text: str, columns: int) -> str:
    """Return what of `text` fits into so many columns; a wide letter takes two."""
    used = 0
    for at, letter in enumerate(text):
        used += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if used > columns:
            return text[:at]
    return text
