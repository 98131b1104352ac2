# SPDX-License-Identifier: Apache-2.0
"""End what would go on for ever, and know afterwards that it was ended."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Deadline:
    """A limit for the whole of a piece of work, whatever its single steps wait for."""

    def __init__(self, end: Callable[[], object]) -> None:
        """Call `end` once the limit has passed."""
        self._end = end
        self._passed = threading.Event()

    @property
    def passed(self) -> bool:
        """Whether the limit has passed; true before the work is ended by it."""
        return self._passed.is_set()

    def meet(self) -> None:
        """Remember that the limit has passed, then end the work.

        In this order: the work's own thread may see its end before this call has returned.
        """
        self._passed.set()
        self._end()


@contextmanager
def deadline(limit_s: float, end: Callable[[], object]) -> Iterator[Deadline]:
    """Call `end` from a thread of its own unless the block is left within `limit_s` seconds."""
    limit = Deadline(end)
    timer = threading.Timer(limit_s, limit.meet)
    timer.daemon = True
    timer.start()
    try:
        yield limit
    finally:
        timer.cancel()
