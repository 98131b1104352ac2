# SPDX-License-Identifier: Apache-2.0
"""What an engine behind a gateway says on loopback: well, slowly, brokenly, or lying.

`mood` chooses; the paths are those of vLLM and of the media server.
"""

from __future__ import annotations

import base64
import json
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from ttctl.rules.acceptance_media import png, wav

if TYPE_CHECKING:
    from types import TracebackType

KEY = "k" * 64
PIECE_S = 0.01


class AcceptingApi(ThreadingHTTPServer):
    """The door of a stack; `asked` holds (path, body)."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, model: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model
        self.mood = "well"
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.left = threading.Event()
        """Set when somebody hung up in the middle of an answer."""
        self.ended = threading.Event()
        self.at_once = 0
        self.most_at_once = 0
        self.polls = 0
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: that somebody hangs up is what is tried."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: AcceptingApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/health":
            self._say(200 if self.server.mood != "sick" else 503, {})
        elif not self._is_known():
            self._say(401, {"error": {"message": "no"}})
        elif self.path.startswith("/v1/videos/generations/"):
            self.server.polls += 1
            done = self.server.polls > 2
            self._say(200, {"id": "job1", "status": "completed" if done else "in_progress"})
        elif self.path == "/tt-liveness":
            self._say(200, {"status": "alive", "model_ready": True})
        else:
            self._say(200, {"data": [{"id": self.server.model}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._is_known():
            self._say(401, {"error": {"message": "no"}})
            return
        with self.server.lock:
            self.server.asked.append((self.path, body))
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        try:
            self._answer(body)
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def _is_known(self) -> bool:
        return self.server.mood == "open" or self.headers["Authorization"] == f"Bearer {KEY}"

    def _answer(self, body: dict[str, Any]) -> None:
        mood = self.server.mood
        if mood == "slow":
            self.server.ended.wait(30)
        if mood == "dripping":
            self._drip(("Content-Length", "100000"))
        elif mood == "dripping on":
            self._drip(("Connection", "close"))
        elif mood == "refusing":
            self._say(500, {"error": {"message": "the prompt was: SECRET"}})
        elif mood == "hanging up":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif mood == "babbling":
            self._raw(b"<html>SECRET</html>")
        elif body.get("stream"):
            self._stream(body)
        else:
            self._say(200, self._body(body))

    def _body(self, body: dict[str, Any]) -> object:
        if self.path.startswith("/v1/images/"):
            return {"images": [base64.b64encode(png(64, 64)).decode()], "generation_time": 1}
        if self.path == "/v1/audio/speech":
            return {"audio": base64.b64encode(wav(1)).decode()}
        known: dict[str, object] = {
            "/v1/embeddings": {"data": [{"embedding": [0.1, -0.2, 0.3]}]},
            "/v1/audio/transcriptions": {"text": ""},
            "/v1/cnn/search-image": {"image_data": [["a", 90.0]], "status": "success"},
            "/v1/videos/generations": {"id": "job1", "status": "queued"},
        }
        if self.path in known:
            return known[self.path]
        choice = {"text": "three"} if "prompt" in body else {"message": {"content": "three"}}
        if self.server.mood == "empty":
            choice = {"text": " "}
        model = "another" if self.server.mood == "another" else body["model"]
        return {"model": model, "choices": [choice], "usage": self._usage(body, 1)}

    def _usage(self, body: dict[str, Any], written: int) -> dict[str, int]:
        prompt = body.get("prompt") or body["messages"][0]["content"]
        count = len(prompt.split()) if isinstance(prompt, str) else len(prompt)
        if self.server.mood == "cutting":
            count = min(count, 32)
        if self.server.mood == "boasting":
            written = 10_000
        if self.server.mood == "hiding":
            written = 1
        return {"prompt_tokens": count, "completion_tokens": written}

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        many = body["max_tokens"] if body.get("ignore_eos") else min(body["max_tokens"], 20)
        if body["max_tokens"] == 512:
            many = 512
        silent = self.server.mood == "silent"
        for number in range(many):
            text = "" if silent else f" {number}"
            choice = {"text": text} if "prompt" in body else {"delta": {"content": text}}
            self._event({"choices": [choice]})
            if self._is_left():
                self.server.left.set()
                return
            if self.server.mood == "breaking" and number == 2:
                return
            if self.server.mood == "failing" and number == 2:
                self._event({"error": {"message": "SECRET", "code": 500}})
                return
        self._event({"choices": [], "usage": self._usage(body, many)})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, value: object) -> None:
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")

    def _is_left(self) -> bool:
        ready, _, _ = select.select([self.connection], [], [], PIECE_S)
        return bool(ready) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def _drip(self, header: tuple[str, str]) -> None:
        self.send_response(200)
        self.send_header(*header)
        self.end_headers()
        self.close_connection = True
        try:
            while not self.server.ended.wait(0.05):
                self.wfile.write(b" ")
        except OSError:
            self.server.left.set()

    def _say(self, status: int, body: object) -> None:
        self._raw(json.dumps(body).encode(), status)

    def _raw(self, raw: bytes, status: int = 200) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            self.server.left.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
