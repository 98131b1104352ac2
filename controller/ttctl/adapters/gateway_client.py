# SPDX-License-Identifier: Apache-2.0
"""Talk to a running stack through its gateway, on loopback and past every proxy."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

from ttctl.errors import EngineError, TtctlError
from ttctl.model.protocols import Completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADDRESS = "127.0.0.1"
PROBE_S = 5
ANSWER_S = 600


class GatewayClient:
    """The OpenAI API of a stack."""

    def healthy(self, port: int) -> bool:
        """Return whether `/health` answers 200."""
        try:
            return (
                self._request(port, "GET", "/health", key="", timeout_s=PROBE_S)[0]
                == http.HTTPStatus.OK
            )
        except EngineError:
            return False

    def models(self, port: int, key: str) -> tuple[str, ...]:
        """Return the names that `/v1/models` lists."""
        _, body = self._answered(port, "GET", "/v1/models", key=key, timeout_s=PROBE_S)
        return tuple(str(entry["id"]) for entry in body.get("data", ()))

    def complete(self, port: int, key: str, *, model: str, prompt: str) -> Completion:
        """Ask for one short completion."""
        started = time.monotonic()
        payload = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0}
        _, body = self._answered(
            port, "POST", "/v1/completions", key=key, timeout_s=ANSWER_S, payload=payload
        )
        seconds = time.monotonic() - started
        usage = body.get("usage") or {}
        return Completion(
            text=str(body["choices"][0]["text"]),
            model=str(body.get("model", model)),
            prompt_tokens=int(usage.get("prompt_tokens", 0)),
            completion_tokens=int(usage.get("completion_tokens", 0)),
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
            "stream_options": {"include_usage": True},
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        started = time.monotonic()
        first = 0.0
        pieces: list[str] = []
        usage: dict[str, Any] = {}
        for event in self._events(port, "/v1/chat/completions", key, payload):
            usage = event.get("usage") or usage
            for choice in event.get("choices", ()):
                text = choice.get("delta", {}).get("content")
                if text:
                    first = first or time.monotonic() - started
                    pieces.append(text)
                    on_text(text)
        return Completion(
            text="".join(pieces),
            model=model,
            prompt_tokens=int(usage.get("prompt_tokens", 0)),
            completion_tokens=int(usage.get("completion_tokens", 0)),
            seconds=time.monotonic() - started,
            first_token_s=first,
        )

    def _events(
        self, port: int, path: str, key: str, payload: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
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
                    event: dict[str, Any] = json.loads(line[6:])
                    if "error" in event:
                        raise _refused(int(event["error"].get("code") or 500), line[6:])
                    yield event
            raise EngineError(
                "The answer was cut off.",
                why="The stream ended before its end mark.",
                next_step="ttctl logs --tail 50",
            )
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise _unreachable(port, exc) from exc
        finally:
            connection.close()

    def _answered(
        self, port: int, method: str, path: str, *, key: str, timeout_s: float,
        payload: dict[str, Any] | None = None,
    ) -> tuple[int, dict[str, Any]]:  # fmt: skip
        status, raw = self._request(
            port, method, path, key=key, timeout_s=timeout_s, payload=payload
        )
        if status != http.HTTPStatus.OK:
            raise _refused(status, raw)
        try:
            return status, json.loads(raw)
        except ValueError as exc:
            raise _refused(status, raw) from exc

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


def _refused(status: int, raw: bytes) -> TtctlError:
    try:
        error = json.loads(raw)["error"]
        message = str(error.get("message", "")) if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError):
        message = raw[:200].decode(errors="replace")
    return EngineError(
        f"The engine answered {status}.",
        why=message[:400],
        evidence=f"HTTP status {status}",
        next_step="ttctl status" if status >= 500 else "ttctl models ls",  # noqa: PLR2004
    )
