# SPDX-License-Identifier: Apache-2.0
"""A place in the line before the one thread that computes, and what is said of its work."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Work = Callable[["Ticket"], None]

_END = object()


class Ticket:
    """One place in the line: the work, what it says, and whether somebody still waits for it."""

    def __init__(
        self, work: Work, loop: asyncio.AbstractEventLoop, *, counted: bool = True
    ) -> None:
        """Remember the work, and the loop where what it says is read."""
        self.work = work
        self.counted = counted
        self.left = threading.Event()
        self._loop = loop
        self._said: deque[object] = deque()
        self._called = False
        self._unheard = False
        self._news = asyncio.Event()

    def say(self, event: object) -> None:
        """Hand an event to who waits; from the thread that computes."""
        self._said.append(event)
        if self._unheard:
            self._said.clear()
            return
        # To wake the loop takes processor time from the model: once is enough until it looks.
        if self._called:
            return
        self._called = True
        try:
            self._loop.call_soon_threadsafe(self._look)
        except RuntimeError:
            self.left.set()  # the loop has ended, and nobody reads

    def _look(self) -> None:
        # Before it is read: what is said from now on calls again, so nothing is left lying.
        self._called = False
        self._news.set()

    def end(self, error: BaseException | None = None) -> None:
        """Say that no more comes."""
        self.say(_END if error is None else error)

    def leave(self) -> None:
        """Wait no more: what was said and will be is kept nowhere.

        An error holds the frames of the work, which hold this ticket: it must not hold the error.
        """
        self.left.set()
        self._unheard = True
        self._said.clear()

    async def events(self) -> AsyncIterator[Any]:
        """Yield what the work says, until it ends; raise what it raised."""
        while (event := await self._next()) is not _END:
            if isinstance(event, BaseException):
                try:
                    raise event
                finally:
                    # It holds this frame.
                    del event
            yield event

    async def _next(self) -> object:
        while not self._said:
            self._news.clear()
            await self._news.wait()
        return self._said.popleft()
