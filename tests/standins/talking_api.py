# SPDX-License-Identifier: Apache-2.0
"""OpenAI's API of a running stack on loopback: it answers with what it was asked, word by word.

A question that holds SLOW is answered until somebody hangs up, one that holds LONG is refused as
vLLM refuses what does not fit.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

PAUSE_S = 0.05
PATIENCE_S = 30
TOO_LONG = "This model's maximum context length is 2048 tokens. However, your prompt contains more."


class TalkingApi(ThreadingHTTPServer):
    """The door of a stack; `asked` holds the bodies, `keys` the headers that came with them."""

    daemon_threads = True

    def __init__(self, *models: str, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address, _Handler)
        self.models = models
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.left = threading.Event()
        """Set when somebody hung up in the middle of an answer."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def said(self, number: int = -1) -> list[tuple[str, str]]:
        """Return who said what in one question's messages."""
        return [(one["role"], one["content"]) for one in self.asked[number]["messages"]]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: TalkingApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = {"data": [{"id": name} for name in self.server.models]}
        self._answer(200, {} if self.path == "/health" else found)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers["Authorization"])
        question = body["messages"][-1]["content"]
        if "LONG" in question:
            self._answer(400, {"error": {"message": TOO_LONG, "code": 400}})
        elif body.get("stream"):
            self._stream(question, body.get("max_tokens"))
        else:
            message = {"role": "assistant", "content": f"You said: {question}"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._answer(200, {"id": "1", "object": "chat.completion", "choices": [choice],
                               "created": 1, "model": body["model"]})  # fmt: skip

    def _answer(self, status: int, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _stream(self, question: str, limit: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        words = [*f"You said: {question}".split(" "), *(["so"] * 1000 * ("SLOW" in question))]
        written = words[:limit]
        for number, word in enumerate(written, start=1):
            text = word if number == 1 else f" {word}"
            self._event({"choices": [{"delta": {"content": text}}], "usage": _usage(number)})
            if "SLOW" in question and self._is_left():
                self.server.left.set()
                return
        end = "length" if len(written) < len(words) else "stop"
        self._event({"choices": [{"delta": {}, "finish_reason": end}]})
        self._event({"choices": [], "usage": _usage(len(written))})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, value: object) -> None:
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")

    def _is_left(self) -> bool:
        """Wait a moment, and return whether the other side hung up meanwhile."""
        ready, _, _ = select.select([self.connection], [], [], PAUSE_S)
        return bool(ready) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def _usage(written: int) -> dict[str, int]:
    return {"prompt_tokens": 7, "completion_tokens": written}


def until(event: threading.Event) -> None:
    """Wait for an event, not for ever."""
    started = time.monotonic()
    assert event.wait(PATIENCE_S), f"not within {time.monotonic() - started:.0f} s"


if __name__ == "__main__":
    TalkingApi("talker", "other", address=("", 8000)).serve_forever()
