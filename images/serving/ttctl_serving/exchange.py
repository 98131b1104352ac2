# SPDX-License-Identifier: Apache-2.0
"""One request and its answer, over ASGI."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from ttctl_serving.bodies import RETRY_S
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from ttctl_serving.bodies import Bodies, End

    Result = TypeVar("Result")

JSON, EVENTS = "application/json", "text/event-stream; charset=utf-8"
CLIENT_LEFT = 499
"""The status of an answer that nobody waited for; for the log.

Source: nginx, "client closed request".
"""
BODY_S = 60.0
"""Seconds in which a body has to be here as a whole."""
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_NOT_JSON = object()


class LeftError(Exception):
    """The client is gone: nobody has to be answered."""


class Exchange:
    """One request and its answer."""

    def __init__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
        bodies: Bodies,
    ) -> None:
        """Remember the two ends, and with which others its body shares the room."""
        self._scope, self._receive, self._send = scope, receive, send
        self._bodies = bodies
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.status = CLIENT_LEFT
        """Of the answer, once it has begun."""
        self.facts: dict[str, object] = {}
        """What the log's line says besides; never of what was asked."""
        self._streams = False
        said = self.header(b"x-request-id")
        self.id = said.decode() if _ID.fullmatch(said) else uuid4().hex
        """The client's own or the gateway's name of the request, or a new one; for the log."""

    def header(self, name: bytes) -> bytes:
        """Return a header by its lower-case name, empty where it is not there."""
        return next((value for key, value in self._scope["headers"] if key == name), b"")

    async def json(self, *, most_bytes: int, within_s: float = BODY_S) -> Any:  # noqa: ANN401 - as it came
        """Return the body.

        Raises:
            RefusedError: It is too long, too slow, or not JSON; NaN and Infinity are not. Or too
                much is read at once.
            LeftError: The client went before it was whole.
        """
        said = self.header(b"content-length")
        if said.isdigit() and int(said) > most_bytes:
            raise _refusal("too long", most_bytes)
        with self._bodies.one(most_bytes) as body:
            end = await body.read(self._receive, within_s=within_s)
            found = _read(body.data) if end == "whole" else _NOT_JSON
        if end == "left":
            raise LeftError
        if end != "whole":
            raise _refusal(end, most_bytes)
        if found is _NOT_JSON:
            raise RefusedError("The body is not JSON.", code="not_json")
        return found

    async def while_there(self, answer: Coroutine[Any, Any, Result]) -> Result | None:
        """Answer, after the body was read; where the client leaves first, stop and return None."""
        answering = asyncio.ensure_future(answer)
        gone = asyncio.ensure_future(self.left())
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            self.status = CLIENT_LEFT
            return None
        finally:
            answering.cancel()
            gone.cancel()
            # What one raised would hold this frame, and this frame what raised it.
            del answering, gone

    async def left(self) -> None:
        """Wait until the client has left; after its body was read."""
        message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await self._receive()

    async def answer(
        self,
        body: bytes,
        *,
        kind: str = JSON,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer as a whole."""
        further = {"Content-Length": str(len(body)), **(headers or {})}
        await self._begin(status, kind, further)
        await self._send({"type": "http.response.body", "body": body})

    async def answer_json(self, value: object, *, status: int = 200) -> None:
        """Answer with JSON."""
        await self.answer(json.dumps(value).encode(), status=status)

    async def refuse(self, refused: RefusedError) -> None:
        """Answer with an error; in a stream that has begun, as an event."""
        if self._streams:
            await self.event("error", {"type": "error", **refused.body})
            await self.end_events()
        elif self.status == CLIENT_LEFT:
            body = json.dumps(refused.body).encode()
            await self.answer(body, status=refused.status, headers=refused.headers)

    async def begin_events(self) -> None:
        """Begin to answer with server-sent events."""
        self._streams = True
        # Whoever stands between must neither keep events back nor keep them.
        await self._begin(200, EVENTS, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def event(self, name: str, data: Mapping[str, Any]) -> None:
        """Send one event; the first one begins the stream, where nothing else has."""
        if not self._streams:
            await self.begin_events()
        await self._more(f"event: {name}\ndata: {json.dumps(data)}\n\n")

    async def comment(self, text: str) -> None:
        """Send what no client reads, so that nobody between takes the stream for dead."""
        await self._more(f": {text}\n\n")

    async def end_events(self) -> None:
        """End the stream."""
        self._streams = False
        await self._send({"type": "http.response.body", "body": b""})

    async def _more(self, text: str) -> None:
        message = {"type": "http.response.body", "body": text.encode(), "more_body": True}
        await self._send(message)

    async def _begin(self, status: int, kind: str, headers: Mapping[str, str]) -> None:
        self.status = status
        pairs = [(b"content-type", kind.encode())]
        pairs += [(name.lower().encode(), text.encode()) for name, text in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})


def _refusal(end: End, most_bytes: int) -> RefusedError:
    """Return what is said of a body that did not become whole."""
    if end == "late":
        return RefusedError(
            "The body did not arrive in time.",
            code="request_timeout",
            status=408,
            headers={"Connection": "close"},
        )
    if end == "no room":
        return RefusedError(
            "Too many long bodies are read at once.",
            code="too_many_bodies",
            status=503,
            kind="server_error",
            retry_after_s=RETRY_S,
        )
    text = f"The body is longer than {most_bytes} bytes."
    return RefusedError(text, code="request_too_large", status=413)


def _read(data: bytearray) -> Any:  # noqa: ANN401 - as it came
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        # Not raised on: the error holds the whole text.
        return _NOT_JSON


def _no_number(word: str) -> float:
    raise ValueError(word)
