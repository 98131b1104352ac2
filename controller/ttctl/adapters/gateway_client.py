# SPDX-License-Identifier: Apache-2.0
"""Talk to an engine with OpenAI's API through the gateway of its stack."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from ttctl.adapters.gateway_wire import (
    ANSWER_S,
    Piece,
    answered,
    completion_of,
    lines,
    refused_within,
    understood,
)
from ttctl.model.talk import Completion

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ttctl.model.talk import Door
    from ttctl.model.tls import At

LIST_S = 5


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Delta(BaseModel):
    content: str | None = None


class _Piece(BaseModel):
    delta: _Delta
    finish_reason: str | None = None


class _Event(BaseModel):
    """One event of a streamed answer."""

    choices: tuple[_Piece, ...] = ()
    usage: _Usage | None = None
    error: object = None


class _Choice(BaseModel):
    text: str


class _Answer(BaseModel):
    """A completion."""

    model: str = ""
    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: _Usage = Field(default_factory=_Usage)


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    """The list of models."""

    data: tuple[_Model, ...]


class GatewayClient:
    """The OpenAI API of a stack."""

    def models(self, at: At, key: str, *, base: str = "") -> tuple[str, ...]:
        """Return the names that `/v1/models` lists."""
        raw = answered(at, "GET", f"{base}/v1/models", key=key, timeout_s=LIST_S)
        return tuple(entry.id for entry in understood(_Models, raw).data)

    def complete(self, at: At, key: str, *, model: str, prompt: str, limit_s: float) -> Completion:
        """Ask for one short completion; `limit_s` is how long nothing may come."""
        started = time.monotonic()
        payload = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0}
        timeout_s = min(ANSWER_S, limit_s)
        raw = answered(at, "POST", "/v1/completions", key=key, timeout_s=timeout_s, payload=payload)
        seconds = time.monotonic() - started
        answer = understood(_Answer, raw)
        return Completion(
            text=answer.choices[0].text,
            model=answer.model or model,
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
            seconds=seconds,
            first_token_s=seconds,
        )

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
        """Ask for a streamed answer; each piece goes to `on_text` as it comes."""
        payload = {
            "model": model,
            "messages": messages,
            "stream": True,
            # With each piece, so that an answer that is stopped has its counts.
            # Source: StreamOptions in vLLM's vllm/entrypoints/openai/protocol.py.
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        return completion_of(_pieces(door, key, payload), model=model, on_text=on_text)


def _pieces(door: Door, key: str, payload: dict[str, Any]) -> Generator[Piece]:
    with closing(lines(door.at, f"{door.base}/v1/chat/completions", key, payload)) as found:
        for line in found:
            if line == b"data: [DONE]":
                return
            if line.startswith(b"data: "):
                event = understood(_Event, line[6:])
                if event.error is not None:
                    raise refused_within(event.error, line[6:])
                yield _piece(event)


def _piece(event: _Event) -> Piece:
    usage = event.usage or _Usage()
    finish = [one.finish_reason for one in event.choices if one.finish_reason]
    return Piece(
        text="".join(one.delta.content or "" for one in event.choices),
        prompt_tokens=usage.prompt_tokens,
        tokens=usage.completion_tokens,
        finish=finish[-1] if finish else "",
    )
