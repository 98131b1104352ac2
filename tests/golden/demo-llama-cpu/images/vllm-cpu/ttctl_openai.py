# SPDX-License-Identifier: Apache-2.0
"""What vLLM asks and answers otherwise than OpenAI's schema has it: a middleware of its server.

vLLM takes its own model where a request names none, and writes null where that schema has a field
of another type or no field. What is no JSON passes as it is, and so does a stream.

Source: vLLM 0.32.0, entrypoints/openai/chat_completion/protocol.py, completion/protocol.py and
serve/middleware/register.py; OpenAI's OpenAPI document, version 2.3.0.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Message = dict[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

PATHS = ("/v1/chat/completions", "/v1/completions")
NEVER_NULL = (
    ("service_tier",),
    ("system_fingerprint",),
    ("usage", "completion_tokens_details"),
    ("usage", "prompt_tokens_details"),
    ("usage", "prompt_tokens_details", "cached_tokens"),
    ("choices", "message", "annotations"),
    ("choices", "message", "function_call"),
    ("choices", "message", "tool_calls"),
)
"""Fields that may be left out and have no null among their values; `choices` is each of them.

`content`, `refusal`, `audio` and `logprobs` may be null, and `stop_reason` and others are vLLM's.

Source: OpenAI's OpenAPI document, version 2.3.0, CreateChatCompletionResponse,
ChatCompletionResponseMessage, CreateCompletionResponse, CompletionUsage and ServiceTier.
"""
NAMELESS = {
    "error": {
        "message": "The request names no model.",
        "type": "invalid_request_error",
        "param": "model",
        "code": None,
    }
}
OK, REFUSED_KEY = 200, 401


class AsOpenAI:
    """The middleware, by the name that `--middleware` gets."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        """Stand before vLLM's server."""
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand a request on, and its answer back."""
        if scope.get("method") != "POST" or not scope["path"].endswith(PATHS):
            await self._app(scope, receive, send)
            return
        asked = [await _whole(receive)]
        nameless = names_no_model(asked[0].get("body", b""))
        if nameless:
            # vLLM looks at the key behind this, and computes nothing for such a request.
            asked = [{"type": "http.request", "body": b"{}", "more_body": False}]

        async def again() -> Message:
            return asked.pop() if asked else await receive()

        await self._app(scope, again, _Answer(send, nameless=nameless))


class _Answer:
    """What vLLM sends: a JSON answer is held until it is whole, all else passes at once."""

    def __init__(self, send: Send, *, nameless: bool) -> None:
        self._send, self._nameless = send, nameless
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._is_ours(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._end(self._start, b"".join(self._parts))

    def _is_ours(self, start: Message) -> bool:
        if self._nameless:
            return bool(start["status"] != REFUSED_KEY)
        kind = dict(start.get("headers", ())).get(b"content-type", b"")
        return bool(start["status"] == OK and kind.startswith(b"application/json"))

    async def _end(self, start: Message, body: bytes) -> None:
        if self._nameless:
            body = json.dumps(NAMELESS).encode()
            start = {**start, "status": 400, "headers": [(b"content-type", b"application/json")]}
        else:
            body = without_nulls(body)
        kept = [one for one in start["headers"] if one[0] != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await self._send({**start, "headers": [*kept, length]})
        await self._send({"type": "http.response.body", "body": body})


async def _whole(receive: Receive) -> Message:
    """Return a request's body as one message; a client that left, as what says so."""
    message = await receive()
    if not message.get("more_body"):
        return message
    parts = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return {**message, "body": b"".join(parts)} if message["type"] == "http.request" else message


def names_no_model(body: bytes) -> bool:
    """Return whether a request is an object in JSON that names no model."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(asked, dict) and not asked.get("model")


def without_nulls(body: bytes) -> bytes:
    """Return an answer without the nulls that OpenAI's schema has no place for."""
    if b":null" not in body:
        return body
    try:
        answer = json.loads(body)
        for path in NEVER_NULL:
            _leave_out(answer, path)
        # As vLLM's own server writes it: what stays is the same byte for byte.
        return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


def _leave_out(place: Any, path: tuple[str, ...]) -> None:  # noqa: ANN401 - of JSON
    if isinstance(place, list):
        for one in place:
            _leave_out(one, path)
    elif isinstance(place, dict) and path[0] in place:
        if path[1:]:
            _leave_out(place[path[0]], path[1:])
        elif place[path[0]] is None:
            del place[path[0]]
