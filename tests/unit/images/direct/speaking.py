# SPDX-License-Identifier: Apache-2.0
"""A model that says a fixed text letter by letter, and a client of the service."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ttctl_direct.service import Service
from ttctl_direct.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl_serving.door import Door

END = 0
LIMIT_S = 20
QUESTION = {"prompt": "What is secret?", "temperature": 0}
PLACES = 4


class Letters:
    """A tokenizer: each character is a token."""

    stops = frozenset({END})
    longest_token = 2

    def tokens_of(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        return [ord(one) for _, text in messages for one in text]

    def text_of(self, tokens: Sequence[int]) -> str:
        return "".join(map(chr, tokens))


@dataclass
class Parrot:
    """Says `text`, one letter a step; a step waits for `gate`."""

    text: str = "Hello there."
    context: int = 64
    longest_prompt: int = 32
    survives: bool = False
    fails_at: int = -1
    pauses_at: int = -1
    steps: int = 0
    prefills: list[list[int]] = field(default_factory=list)
    closed: bool = False
    gate: threading.Event = field(default_factory=threading.Event)
    _at: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    def prefill(self, tokens: Sequence[int], *, greedy: bool) -> list[tuple[int, float]]:
        del greedy
        self.prefills.append(list(tokens))
        self._at = 0
        return self._next()

    def decode(self, token: int, *, greedy: bool) -> list[tuple[int, float]]:
        del token, greedy
        return self._next()

    def close(self) -> None:
        self.closed = True

    def _next(self) -> list[tuple[int, float]]:
        if self.steps == self.pauses_at:
            self.gate.clear()
        assert self.gate.wait(LIMIT_S)
        if self.steps == self.fails_at:
            self.fails_at = -1
            raise RuntimeError("a secret prompt")
        self.steps += 1
        letter = self.text[self._at] if self._at < len(self.text) else chr(END)
        self._at += 1
        return [(ord(letter), 1.0)]


def at_work(service: Service) -> threading.Thread:
    thread = threading.Thread(target=service.line.work)
    thread.start()
    return thread


@dataclass
class Answer:
    """What a client got."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def data(self) -> Any:  # noqa: ANN401 - of JSON
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        found = []
        for part in self.body.decode().removesuffix("\n\n").split("\n\n"):
            name, data = part.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return found


@dataclass
class Client:
    """Sends one request, and may leave before it is answered."""

    door: Door
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Answer = field(default_factory=Answer)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Sequence[tuple[bytes, bytes]] = (),
        leave_after: int | None = None,
    ) -> Answer:
        """Send a request; `leave_after` so many messages of the answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        parts: Iterator[dict[str, Any]] = iter(
            [{"type": "http.request", "body": b"" if body is None else raw, "more_body": False}]
        )
        seen = 0

        async def receive() -> dict[str, Any]:
            if (part := next(parts, None)) is not None:
                return part
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def write(message: dict[str, Any]) -> None:
            nonlocal seen
            seen += 1
            if message["type"] == "http.response.start":
                self.answer.status = message["status"]
                pairs = message["headers"]
                self.answer.headers = {one.decode(): two.decode() for one, two in pairs}
            else:
                self.answer.body += message["body"]
            if leave_after is not None and seen > leave_after:
                self.gone.set()

        scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
        await asyncio.wait_for(self.door(scope, receive, write), LIMIT_S)
        return self.answer


def asking(
    door: Door,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> Answer:
    """Send one request in a loop of its own."""

    async def run() -> Answer:
        return await Client(door).send(method, path, body, headers=headers)

    return asyncio.run(run())


class House:
    """A service with its model at work."""

    def __init__(self, parrot: Parrot, key: str = "") -> None:
        self.parrot = parrot
        self.service = Service(parrot, Letters(), model="acme/small", places=PLACES)
        self.door = Wire(self.service, context=parrot.context).door(key.encode())
        self.thread = at_work(self.service)

    def ask(self, body: object = QUESTION, headers: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
        return asking(self.door, "POST", "/chat", body, headers=headers)

    def close(self) -> None:
        self.parrot.gate.set()
        self.service.stop()
        self.thread.join(LIMIT_S)
        assert not self.thread.is_alive()
