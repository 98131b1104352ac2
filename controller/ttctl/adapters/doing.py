# SPDX-License-Identifier: Apache-2.0
"""What a command that holds a stack does, in a file of the stack's folder that others may read.

It is written at most once a second, removed when the stack is let go, and believed only while the
process that it names holds the stack's kernel lock: what a kill left behind is nobody's work.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ttctl.adapters.files import write_atomically
from ttctl.adapters.kernel_lock import holders
from ttctl.errors import TtctlError
from ttctl.model.live import Doing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "doing.json"
SCHEMA = "ttctl.doing/1"
LOCK = "stack.flock"
EVERY_S = 1.0
LONGEST = 200
"""Letters of a title or a text that are kept."""
MOST_BYTES = 1 << 16


class DoingFile:
    """What one command does, wherever it is to be read."""

    def __init__(self) -> None:
        """Nothing is written before a step begins while a stack is held."""
        self._lock = threading.RLock()
        self._places: list[Path] = []
        self._steps: list[tuple[str, float]] = []
        self._counts: dict[str, Any] = {}
        self._written = 0.0
        self._due: threading.Timer | None = None

    @contextmanager
    def kept_in(self, home: Path) -> Iterator[None]:
        """Tell it in this folder for the length of the block; its lock is held."""
        path = home / NAME
        with self._lock:
            self._places.append(path)
            self._change()
        try:
            yield
        finally:
            with self._lock:
                self._places.remove(path)
                if not self._places:
                    self._cancel()
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def begin(self, title: str) -> None:
        """A step begins; it may be within another one, or beside it."""
        with self._lock:
            self._steps.append((title, time.time()))
            self._counts = {}
            self._change()

    def end(self, title: str) -> None:
        """A step is over; the one around it goes on."""
        with self._lock:
            found = [one for one in self._steps if one[0] == title]
            if found:
                self._steps.remove(found[-1])
            self._counts = {}
            self._change()

    def count(self, done: float, total: float, unit: str) -> None:
        """The step is so far."""
        with self._lock:
            self._counts = {"done": done, "total": total, "unit": unit}
            self._change()

    def say(self, text: str) -> None:
        """This goes on within the step."""
        with self._lock:
            self._counts = {**self._counts, "text": text[:LONGEST]}
            self._change()

    def _change(self) -> None:
        """Write now, or as soon as the last time is a second ago."""
        if not self._places or self._due is not None:
            return
        left = self._written + EVERY_S - time.monotonic()
        if left <= 0:
            self._write()
            return
        self._due = threading.Timer(left, self._write_late)
        # It never keeps a command from ending.
        self._due.daemon = True
        self._due.start()

    def _write_late(self) -> None:
        with self._lock:
            if self._due is not None:
                self._due = None
                self._write()

    def _cancel(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _write(self) -> None:
        if not self._steps:
            for path in self._places:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            return
        self._written = time.monotonic()
        title, began = self._steps[-1]
        body = {"schema": SCHEMA, "pid": os.getpid(), "title": title[:LONGEST], "began": began}
        text = json.dumps({**body, **self._counts}) + "\n"
        for path in self._places:
            # On a full disk the work matters more than who watches it.
            with suppress(TtctlError):
                write_atomically(path, text, mode=0o600)


def doing_in(home: Path) -> Doing | None:
    """Return what the command does that holds a stack's folder; None where none does."""
    try:
        with (home / NAME).open("rb") as file:
            found = _parsed(json.loads(file.read(MOST_BYTES)), stack=home.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found if found.pid in holders(home / LOCK) else None


def _parsed(raw: dict[str, Any], *, stack: str) -> Doing:
    if raw["schema"] != SCHEMA:
        raise ValueError(raw["schema"])
    numbers = {name: float(raw.get(name, 0)) for name in ("began", "done", "total")}
    if not all(0 <= one < float("inf") for one in numbers.values()):
        raise ValueError(numbers)
    return Doing(
        stack=stack,
        pid=int(raw["pid"]),
        title=str(raw["title"])[:LONGEST],
        unit=str(raw.get("unit", ""))[:LONGEST],
        text=str(raw.get("text", ""))[:LONGEST],
        **numbers,
    )
