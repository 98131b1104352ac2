# SPDX-License-Identifier: Apache-2.0
"""The bodies of requests while they are read: each has an end, and so have all of them together.

Nothing is raised where a body is held: an exception keeps the frames that it came through, and who
waits for a task keeps both in a circle, which only a collection of garbage breaks. With a model in
memory there is hardly ever one.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    End = Literal["whole", "left", "late", "too long", "no room"]

MOST_BYTES = 32 << 20
"""Of all bodies that are read at once, beyond what each may have anyway."""
WITHOUT_ROOM = 65536
"""Bytes that each body may have, so that nobody's short one waits for others' long ones.

Source: uvicorn 0.54.0, `HIGH_WATER_LIMIT`: it holds as many of a connection by itself.
"""
RETRY_S = 5
"""When to come back where there is no room."""


class Bodies:
    """All bodies that one server reads."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        """Remember how much they may be together."""
        self.most_bytes = most_bytes
        self.held_bytes = 0
        """Of all of them now, beyond `WITHOUT_ROOM` of each."""

    @contextmanager
    def one(self, most_bytes: int) -> Iterator[Body]:
        """Hold one body within the block; after it, nothing of it is kept."""
        body = Body(self, most_bytes)
        try:
            yield body
        finally:
            body.drop()


class Body:
    """One body, as far as it is here."""

    def __init__(self, bodies: Bodies, most_bytes: int) -> None:
        """Begin empty."""
        # Grown in place: a client may send a byte at a time.
        self.data = bytearray()
        self._bodies, self._most_bytes, self._room = bodies, most_bytes, 0

    async def read(self, receive: Callable[[], Awaitable[Any]], *, within_s: float) -> End:
        """Read it, and return how that ended."""
        reading = asyncio.ensure_future(self._fill(receive))
        try:
            await asyncio.wait({reading}, timeout=within_s)
            return reading.result() if reading.done() else "late"
        finally:
            reading.cancel()
            # What it raised would hold this frame, and this frame what raised it.
            del reading

    def drop(self) -> None:
        """Keep nothing of it."""
        self._bodies.held_bytes -= self._room
        self._room = 0
        self.data.clear()

    async def _fill(self, receive: Callable[[], Awaitable[Any]]) -> End:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return "left"
            self.data += message.get("body", b"")
            more = message.get("more_body", False)
            if len(self.data) > self._most_bytes:
                return "too long"
            if not self._has_room():
                return "no room"
        return "whole"

    def _has_room(self) -> bool:
        further = max(0, len(self.data) - WITHOUT_ROOM) - self._room
        if self._bodies.held_bytes + further > self._bodies.most_bytes:
            return False
        self._bodies.held_bytes += further
        self._room += further
        return True
