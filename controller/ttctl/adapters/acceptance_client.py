# SPDX-License-Identifier: Apache-2.0
"""Ask a gateway and take the time. What goes wrong is part of what is found: nothing is raised."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ttctl.adapters.deadline import deadline
from ttctl.adapters.tls_client import connection_to
from ttctl.model.acceptance_kit import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.acceptance_kit import Question
    from ttctl.model.tls import At

LONGEST_BODY = 256 << 20
"""A picture of 1024 x 1024 in base64 is below 5 MiB; a server that never ends is stopped here."""
LONGEST_LINE = 1 << 20
OK = 200


class MeasuringClient:
    """Asks one gateway on loopback, past every proxy."""

    def __init__(self, at: At) -> None:
        """Open nothing yet."""
        self._at = at

    def ask(self, question: Question, *, key: str, limit_s: float) -> Answer:
        """Ask once; never takes longer than `limit_s`, and never raises for what came."""
        return _Asked(self._at, question, key=key, limit_s=limit_s).answer()

    def at_once(
        self, questions: Sequence[Question], *, key: str, limit_s: float
    ) -> tuple[Answer, ...]:
        """Ask several at the same moment; return the answers in their order."""
        if not questions:
            return ()
        start = threading.Barrier(len(questions))

        def one(question: Question) -> Answer:
            start.wait(limit_s)
            return self.ask(question, key=key, limit_s=limit_s)

        with ThreadPoolExecutor(max_workers=len(questions)) as pool:
            return tuple(pool.map(one, questions))


class _Asked:
    """One question on its way."""

    def __init__(self, at: At, question: Question, *, key: str, limit_s: float) -> None:
        self._question = question
        self._key = key
        self._connection = connection_to(at, timeout_s=limit_s)
        self._limit_s = limit_s
        self._started = time.monotonic()
        self._socket: socket.socket | None = None
        self.found: dict[str, Any] = {"pieces": 0}

    def answer(self) -> Answer:
        # A server that sends a byte now and then never runs into the socket's own limit.
        late = False
        with deadline(self._limit_s, self._end) as limit:
            try:
                self._ask()
            except TimeoutError:
                late = True
            except (OSError, http.client.HTTPException, ValueError) as exc:
                self.found["problem"] = _said(exc)
            finally:
                self._connection.close()
        if late or limit.passed:
            self.found["problem"] = f"timed out after {self._limit_s:.0f} s"
        return Answer(seconds=self._passed(), **self.found)

    def _ask(self) -> None:
        question = self._question
        headers = {"Content-Type": "application/json"} if question.body else {}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        method = "POST" if question.body else "GET"
        self._connection.connect()
        # The library forgets it where the server closes after the answer.
        self._socket = self._connection.sock
        self._connection.request(method, question.path, question.body or None, headers)
        response = self._connection.getresponse()
        self.found["status"] = response.status
        if question.stream and response.status == OK:
            self._stream(response)
            return
        body = response.read(LONGEST_BODY + 1)
        if len(body) > LONGEST_BODY:
            raise ValueError("the answer does not end")
        self.found["body"] = body
        if question.most_tokens:
            self._count(body)

    def _stream(self, response: http.client.HTTPResponse) -> None:
        while line := response.readline(LONGEST_LINE):
            text = line.strip()
            if text == b"data: [DONE]":
                return
            if text.startswith(b"data:"):
                self._event(text[5:])
            if self._question.stop_after and self.found["pieces"] >= self._question.stop_after:
                return
        raise ValueError("cut off: the stream ended before its end mark")

    def _event(self, raw: bytes) -> None:
        event = _object(raw)
        if event.get("error"):
            raise ValueError("the stream holds an error")
        self._usage(event.get("usage"))
        if any(_text(choice) for choice in _choices(event)):
            now = self._passed()
            self.found.setdefault("first_s", now)
            self.found["last_s"] = now
            self.found["pieces"] += 1

    def _count(self, body: bytes) -> None:
        with suppress(ValueError):
            self._usage(_object(body).get("usage"))

    def _usage(self, usage: object) -> None:
        if not isinstance(usage, dict):
            return
        for name, key in (("tokens", "completion_tokens"), ("prompt_tokens", "prompt_tokens")):
            count = usage.get(key)
            if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
                self.found[name] = count

    def _passed(self) -> float:
        return time.monotonic() - self._started

    def _end(self) -> None:
        # Before it is ours, a handshake may be going on.
        open_one = self._socket or self._connection.sock
        if open_one is not None:
            with suppress(OSError):
                open_one.shutdown(socket.SHUT_RDWR)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        match json.loads(raw):
            case dict(found):
                return found
            case _:
                raise ValueError("not understood: no object came")
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ValueError("not understood: no JSON came") from exc


def _choices(event: dict[str, Any]) -> list[dict[str, Any]]:
    found = event.get("choices")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(choice: dict[str, Any]) -> str:
    """Return a piece's text: of a completion, or of a conversation, its reasoning counted."""
    delta = choice.get("delta")
    held = delta if isinstance(delta, dict) else {}
    found = (choice.get("text"), held.get("content"), held.get("reasoning_content"))
    return next((one for one in found if isinstance(one, str) and one), "")


def _said(exc: Exception) -> str:
    """Return what went wrong in few words; nothing that a server sent is in them."""
    match exc:
        case ConnectionRefusedError():
            return "nothing answers"
        case http.client.IncompleteRead() | http.client.RemoteDisconnected():
            return "cut off: the connection ended in the middle"
        case OSError():
            return "cut off: the connection broke"
        case http.client.HTTPException():
            return "not understood: no HTTP came"
        case _:
            return str(exc)
