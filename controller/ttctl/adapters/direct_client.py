# SPDX-License-Identifier: Apache-2.0
"""Talk to the service `api` (engine `direct`) through the gateway of its stack."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ttctl.adapters.gateway_wire import Piece, completion_of, lines, refused_within, understood

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ttctl.model.talk import Completion, Door


class _Text(BaseModel):
    """A piece of the answer."""

    text: str


class _End(BaseModel):
    """The figures of a whole answer."""

    finish: str
    prompt_tokens: int
    tokens: int


class _Error(BaseModel):
    """A refusal after the answer has begun."""

    error: object


class DirectClient:
    """`POST /chat` of a stack; its events are `text`, then one `end` or `error`."""

    def chat(
        self,
        door: Door,
        key: str,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        temperature: float,
        on_text: Callable[[str], None],
    ) -> Completion:
        """Ask for a streamed answer; each piece goes to `on_text` as it comes.

        The service counts at the end: of an answer that is stopped, its pieces are counted, each
        of which is a token or more.
        """
        payload = {
            "messages": messages,
            "stream": True,
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        return completion_of(_pieces(door, key, payload), model=model, on_text=on_text)


def _pieces(door: Door, key: str, payload: dict[str, Any]) -> Generator[Piece]:
    count = 0
    with closing(_events(door, key, payload)) as events:
        for name, raw in events:
            match name:
                case "text":
                    count += 1
                    yield Piece(text=understood(_Text, raw).text, tokens=count)
                case "end":
                    yield _end(understood(_End, raw))
                    return
                case "error":
                    raise refused_within(understood(_Error, raw).error, raw)
                case _:
                    # An event of a kind that a newer service may have.
                    pass


def _end(event: _End) -> Piece:
    return Piece(prompt_tokens=event.prompt_tokens, tokens=event.tokens, finish=event.finish)


def _events(door: Door, key: str, payload: dict[str, Any]) -> Generator[tuple[str, bytes]]:
    """Yield each event's name and data."""
    name = ""
    with closing(lines(door.at, f"{door.base}/chat", key, payload)) as found:
        for line in found:
            field, _, value = line.partition(b": ")
            if field == b"event":
                name = value.decode(errors="replace")
            elif field == b"data":
                yield name, value
