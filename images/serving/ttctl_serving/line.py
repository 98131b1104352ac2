# SPDX-License-Identifier: Apache-2.0
"""One model and many who ask: a bounded line before the one thread that computes.

A device belongs to the thread that opened it, so loading, computing and closing all happen there.
Who leaves is taken out of the line at once; what is being computed is told, and ends when it can.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ttctl_serving.refusal import RefusedError
from ttctl_serving.ticket import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ttctl_serving.ticket import Work

LONGEST_RETRY_S = 600
"""Nobody is told to come back later than this."""
STOPPING_RETRY_S = 10
"""When to ask again while the server stops."""
WEIGHT_OF_THE_LAST = 0.3
"""How much the last job counts in what a job usually takes."""


class FullError(RefusedError):
    """The line has no room; `retry_after_s` is when there may be."""

    def __init__(self, retry_after_s: int) -> None:
        """Remember when to come back."""
        super().__init__(
            "As many requests wait as may.",
            code="line_full",
            status=503,
            kind="server_error",
            retry_after_s=retry_after_s,
        )
        self.retry_after_s = retry_after_s


class ClosedError(RefusedError):
    """The server is stopping: what waits is not begun."""

    def __init__(self) -> None:
        """Say when the next server may be there."""
        super().__init__(
            "The server is stopping.",
            code="stopping",
            status=503,
            kind="server_error",
            retry_after_s=STOPPING_RETRY_S,
        )


class Line:
    """The line and its thread: one of its own after `start`, or who calls `work`."""

    def __init__(self, *, room: int) -> None:
        """Make an empty line; `room` may wait beside the one that is computed."""
        self._room = room
        self._waiting: deque[Ticket] = deque()
        self._running: Ticket | None = None
        self._closed = False
        self._coming = 0
        self._usual_s = 1.0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self, at_end: Callable[[], None]) -> None:
        """Compute in a thread of its own, which calls `at_end` last, to give the device back."""

        def run() -> None:
            self.work()
            at_end()

        self._thread = threading.Thread(target=run, name="model", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """1 while something is computed."""
        return int(self._running is not None)

    @property
    def deserted(self) -> bool:
        """Whether nobody waits any more for what is computed."""
        running = self._running
        return running is not None and running.left.is_set()

    def enter(self, work: Work, *, counted: bool = True) -> Ticket:
        """Take a place; from the event loop.

        Args:
            counted: Whether it is of the kind by which the next ones are estimated.

        Raises:
            FullError: As many wait as may.
            ClosedError: The server is stopping.
        """
        with self._changed:
            self._check()
            ticket = Ticket(work, asyncio.get_running_loop(), counted=counted)
            self._waiting.append(ticket)
            self._changed.notify_all()
            return ticket

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Keep a place for who is made ready within the block, and enters right after it.

        Raises:
            FullError: As many wait, and are made ready, as may.
            ClosedError: The server is stopping.
        """
        with self._changed:
            self._check()
            self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1

    def _check(self) -> None:
        if self._closed:
            raise ClosedError
        if self.waiting + self.running + self._coming > self._room:
            raise FullError(self._retry_after_s())

    def leave(self, ticket: Ticket) -> None:
        """Give a place back: nobody waits for it any more."""
        with self._changed:
            ticket.leave()
            if ticket in self._waiting:
                self._waiting.remove(ticket)

    def close(self) -> None:
        """Begin nothing more: what waits is refused, what is computed goes on."""
        with self._changed:
            self._closed = True
            while self._waiting:
                self._waiting.popleft().end(ClosedError())
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Tell what is computed that nobody waits for it."""
        with self._changed:
            if self._running:
                self._running.left.set()

    async def join(self, timeout_s: float) -> bool:
        """Wait for the thread that was started to end, after `close`; return whether it did."""
        if self._thread is None:
            return True
        await asyncio.to_thread(self._thread.join, timeout_s)
        return not self._thread.is_alive()

    def work(self) -> None:
        """Compute one after the other until it is closed; in the thread that owns the device."""
        while ticket := self._next():
            began = time.monotonic()
            error: BaseException | None = None
            try:
                ticket.work(ticket)
            except BaseException as exc:  # noqa: BLE001 - it is raised where it is waited for
                error = exc
            with self._changed:
                self._running = None
                took = time.monotonic() - began
                if ticket.counted and error is None:
                    self._usual_s += WEIGHT_OF_THE_LAST * (took - self._usual_s)
            ticket.end(error)
            # Until the next one comes nothing of this one is kept.
            del ticket, error

    def _retry_after_s(self) -> int:
        """Return seconds until a place may be free, at least one."""
        return max(1, min(LONGEST_RETRY_S, math.ceil(self._usual_s)))

    def _next(self) -> Ticket | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            self._running = self._waiting.popleft() if self._waiting else None
            return self._running
