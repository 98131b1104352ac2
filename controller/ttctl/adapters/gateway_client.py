# SPDX-License-Identifier: Apache-2.0
"""Talk to a running stack through its gateway, on loopback and past every proxy."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from ttctl.errors import EngineError, TooLongError, TtctlError
from ttctl.model.talk import Completion
from ttctl.rules.talk import STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

ADDRESS = "127.0.0.1"
LIST_S = 5
ANSWER_S = 600
TOO_LONG = ("maximum context length", "context_length_exceeded")
"""What engines say of a prompt that does not fit: vLLM's words, OpenAI's code.

Source: _validate_prompt_and_tokenize in vllm/entrypoints/openai/serving_engine.py of
https://github.com/vllm-project/vllm/tree/0030b9ffce2b2e8b8e9f04a7b108f5877193cec0
"""

Shape = TypeVar("Shape", bound=BaseModel)


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

    def models(self, port: int, key: str) -> tuple[str, ...]:
        """Return the names that `/v1/models` lists."""
        raw = self._answered(port, "GET", "/v1/models", key=key, timeout_s=LIST_S)
        return tuple(entry.id for entry in _understood(_Models, raw).data)

    def complete(self, port: int, key: str, *, model: str, prompt: str) -> Completion:
        """Ask for one short completion."""
        started = time.monotonic()
        payload = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0}
        raw = self._answered(
            port, "POST", "/v1/completions", key=key, timeout_s=ANSWER_S, payload=payload
        )
        seconds = time.monotonic() - started
        answer = _understood(_Answer, raw)
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
        port: int,
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
        started = time.monotonic()
        first = 0.0
        pieces: list[str] = []
        usage = _Usage()
        finish = ""
        try:
            # Closed at once when it is left: the gateway then ends the engine's work, too.
            with closing(self._events(port, "/v1/chat/completions", key, payload)) as events:
                for event in events:
                    usage = event.usage or usage
                    for choice in event.choices:
                        finish = choice.finish_reason or finish
                        if text := choice.delta.content:
                            first = first or time.monotonic() - started
                            pieces.append(text)
                            on_text(text)
        except KeyboardInterrupt:
            finish = STOPPED
        return Completion(
            text="".join(pieces),
            model=model,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            seconds=time.monotonic() - started,
            first_token_s=first,
            finish=finish,
        )

    def _events(self, port: int, path: str, key: str, payload: dict[str, Any]) -> Generator[_Event]:
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=ANSWER_S)
        try:
            connection.request("POST", path, json.dumps(payload), _headers(key))
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise _refused(response.status, response.read())
            for raw in response:
                line = raw.strip()
                if line == b"data: [DONE]":
                    return
                if line.startswith(b"data: "):
                    event = _understood(_Event, line[6:])
                    if event.error is not None:
                        raise _refused(_status_in(event.error), line[6:])
                    yield event
            raise EngineError(
                "The answer was cut off.",
                why="The stream ended before its end mark.",
                next_step="ttctl logs --tail 50",
            )
        except (OSError, http.client.HTTPException) as exc:
            raise _unreachable(port, exc) from exc
        finally:
            connection.close()

    def _answered(
        self, port: int, method: str, path: str, *, key: str, timeout_s: float,
        payload: dict[str, Any] | None = None,
    ) -> bytes:  # fmt: skip
        status, raw = self._request(
            port, method, path, key=key, timeout_s=timeout_s, payload=payload
        )
        if status != http.HTTPStatus.OK:
            raise _refused(status, raw)
        return raw

    def _request(
        self, port: int, method: str, path: str, *, key: str, timeout_s: float,
        payload: dict[str, Any] | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=timeout_s)
        body = json.dumps(payload) if payload is not None else None
        try:
            connection.request(method, path, body, _headers(key))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as exc:
            raise _unreachable(port, exc) from exc
        finally:
            connection.close()


def _headers(key: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    return {**headers, "Authorization": f"Bearer {key}"} if key else headers


def _unreachable(port: int, exc: Exception) -> EngineError:
    return EngineError(
        f"Nothing answers at http://{ADDRESS}:{port}.",
        why="The gateway is not up, or it ended in the middle of an answer.",
        evidence=str(exc)[:200],
        next_step="ttctl status",
    )


def _understood(shape: type[Shape], raw: bytes) -> Shape:
    try:
        return shape.model_validate_json(raw)
    except ValidationError as exc:
        raise EngineError(
            "The engine's answer is not understood.",
            why="It has not the shape of OpenAI's API.",
            evidence=raw[:200].decode(errors="replace"),
            next_step="ttctl status",
        ) from exc


def _status_in(error: object) -> int:
    """Return the status that an error within a stream names, 500 where it names none."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else http.HTTPStatus.INTERNAL_SERVER_ERROR


def _refused(status: int, raw: bytes) -> TtctlError:
    try:
        error = json.loads(raw)["error"]
        message = str(error.get("message", "")) if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError):
        message = raw.decode(errors="replace")
    if any(words in raw.decode(errors="replace") for words in TOO_LONG):
        return TooLongError(
            "The prompt is too long.",
            why=message[:400],
            evidence=f"HTTP status {status}",
            next_step="ttctl models ls",
        )
    return EngineError(
        f"The engine answered {status}.",
        why=message[:400],
        evidence=f"HTTP status {status}",
        next_step="ttctl status" if status >= 500 else "ttctl models ls",  # noqa: PLR2004
    )
