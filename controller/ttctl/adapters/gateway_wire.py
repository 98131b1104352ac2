# SPDX-License-Identifier: Apache-2.0
"""How a gateway on loopback is asked, past every proxy, and what its refusals mean."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from ttctl.adapters.tls_client import connection_to
from ttctl.errors import EngineError, TooLongError, TtctlError
from ttctl.model.talk import Completion
from ttctl.rules.talk import STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ttctl.model.tls import At

ANSWER_S = 600
"""Seconds of silence after which nothing more is waited for."""
DATA = b"data: "
TOO_LONG = ("maximum context length", "context_length_exceeded", " fit here.")
"""What engines say of a prompt that does not fit: vLLM's words, OpenAI's code, `api`'s words.

Source: _validate_prompt_and_tokenize in vllm/entrypoints/openai/serving_engine.py of
https://github.com/vllm-project/vllm/tree/0030b9ffce2b2e8b8e9f04a7b108f5877193cec0
"""

Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What came at once of a streamed answer; what is 0 or empty says nothing new."""

    text: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    """Of the answer so far."""
    finish: str = ""


def answered(
    at: At, method: str, path: str, *, key: str, timeout_s: float,
    payload: dict[str, Any] | None = None,
) -> bytes:  # fmt: skip
    """Return the body of an answer.

    Raises:
        EngineError: Nobody answers, or with another status than 200.
        TooLongError: The prompt does not fit.
    """
    with response_to(at, method, path, key, payload, timeout_s=timeout_s) as response:
        raw = response.read()
        if response.status != http.HTTPStatus.OK:
            raise refused(response.status, raw)
        return raw


def lines(at: At, path: str, key: str, payload: dict[str, Any]) -> Generator[bytes]:
    """Yield the lines of a stream, for somebody who closes this at the stream's end mark.

    Raises:
        EngineError: As of `answered`; or the stream ended before that mark.
        TooLongError: The prompt does not fit.
    """
    with response_to(at, "POST", path, key, payload) as response:
        if response.status != http.HTTPStatus.OK:
            raise refused(response.status, response.read())
        for raw in response:
            yield raw.strip()
        raise cut_off()


def events_in(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the data of each server-sent event of an answer."""
    for raw in response:
        line = raw.strip()
        if line.startswith(DATA):
            yield line.removeprefix(DATA)


@contextmanager
def response_to(
    at: At,
    method: str,
    path: str,
    key: str,
    payload: dict[str, Any] | None = None,
    *,
    timeout_s: float = ANSWER_S,
) -> Iterator[http.client.HTTPResponse]:
    """Ask, and close the connection at the end: the gateway then ends the engine's work, too.

    Raises:
        EngineError: Nothing answers, or not to the end.
    """
    body = json.dumps(payload) if payload is not None else None
    try:
        with closing(connection_to(at, timeout_s=timeout_s)) as connection:
            connection.request(method, path, body, _headers(key))
            yield connection.getresponse()
    except (OSError, http.client.HTTPException) as exc:
        raise _unreachable(at, exc) from exc


def completion_of(
    pieces: Generator[Piece], *, model: str, on_text: Callable[[str], None]
) -> Completion:
    """Read an answer to its end or until Ctrl-C; each text goes to `on_text` as it comes."""
    started = time.monotonic()
    first = 0.0
    texts: list[str] = []
    prompt_tokens = tokens = 0
    finish = ""
    try:
        # Closed at once when it is left: the gateway then ends the engine's work, too.
        with closing(pieces):
            for piece in pieces:
                prompt_tokens = piece.prompt_tokens or prompt_tokens
                tokens = piece.tokens or tokens
                finish = piece.finish or finish
                if piece.text:
                    first = first or time.monotonic() - started
                    texts.append(piece.text)
                    on_text(piece.text)
    except KeyboardInterrupt:
        finish = STOPPED
    return Completion(
        text="".join(texts),
        model=model,
        prompt_tokens=prompt_tokens,
        completion_tokens=tokens,
        seconds=time.monotonic() - started,
        first_token_s=first,
        finish=finish,
    )


def understood(shape: type[Shape], raw: bytes) -> Shape:
    """Return an answer in its shape.

    Raises:
        EngineError: It has another one.
    """
    try:
        return shape.model_validate_json(raw)
    except ValidationError as exc:
        raise not_understood(raw) from exc


def not_understood(raw: bytes) -> EngineError:
    """Return the refusal of an answer in another shape."""
    return EngineError(
        "The engine's answer is not understood.",
        why="It has not the shape of its API.",
        evidence=raw[:200].decode(errors="replace"),
        next_step="ttctl status",
    )


def cut_off() -> EngineError:
    """Return the refusal of a stream that ended too early."""
    return EngineError(
        "The answer was cut off.",
        why="The stream ended before its end mark.",
        next_step="ttctl logs --tail 50",
    )


def refused_within(error: object, raw: bytes) -> TtctlError:
    """Return the refusal of an error within a stream; its status is 500 where it names none."""
    code = error.get("code") if isinstance(error, dict) else None
    return refused(code if isinstance(code, int) else http.HTTPStatus.INTERNAL_SERVER_ERROR, raw)


def _headers(key: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    return {**headers, "Authorization": f"Bearer {key}"} if key else headers


def _unreachable(at: At, exc: Exception) -> EngineError:
    return EngineError(
        f"Nothing answers at {at.url}.",
        why="The gateway is not up, or it ended in the middle of an answer.",
        evidence=str(exc)[:200],
        next_step="ttctl status",
    )


def refused(status: int, raw: bytes) -> TtctlError:
    """Return the refusal that an engine's or the gateway's answer is."""
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
