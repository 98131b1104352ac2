# SPDX-License-Identifier: Apache-2.0
"""Serves a contract's routes, the report of all checks, and a way to be ended."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.standins.servers import answers
from tests.standins.servers.faults import crash
from tests.standins.servers.media_requests import Asked, answered, looked_up

if TYPE_CHECKING:
    from tests.standins.servers.serving import Serving


class Server(ThreadingHTTPServer):
    """Listens; says 503 until it is ready."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, serving: Serving, report: dict[str, Any]) -> None:
        self.serving = serving
        self.report = report
        self.ready = False
        self.asked: list[dict[str, Any]] = []
        """Path and fields of every request that was let in, for tests that look at them."""
        super().__init__(("", serving.port), Handler)

    def handle_error(self, *_args: object) -> None:
        """A probe that has read enough hangs up, which is no failure of the server."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_args: object) -> None:
        """Keep the log for what matters."""

    def do_GET(self) -> None:
        serving, ready = self.server.serving, self.server.ready
        match self.path:
            case "/standin/report":
                self._send(200, {**self.server.report, "ready": ready})
            case "/standin/asked":
                self._send(200, self.server.asked)
            case "/health" if serving.answers_health:
                self._send(200 if ready else 503, {})
            case "/tt-liveness" if serving.listens_early:
                told = {"status": "alive", "model_ready": ready, "runner_in_use": "stand-in"}
                self._send(200 if ready else 405, told)
            case "/v1/models" if serving.lists_models:
                if self._admitted():
                    self._send(200, answers.models(serving.model))
            case _:
                self._look_up()

    def _look_up(self) -> None:
        """Answer for a video that was asked for; nothing else is looked up."""
        said = looked_up(self.path) if self.server.serving.kind == "video" else None
        if said is None:
            self._send(404, {"error": {"message": f"no route {self.path}"}})
        elif self._admitted():
            self._send_bytes(said.status, said.body, said.content_type)

    def do_POST(self) -> None:
        serving = self.server.serving
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/standin/crash/"):
            crash(self.path.rpartition("/")[2])
        if self.path not in answers.routes(serving.kind, old=serving.old_paths):
            self._send(404, {"error": {"message": f"no route {self.path}"}})
        elif not self.server.ready:
            self._send(503, {"error": {"message": "the model is not ready"}})
        elif self._admitted():
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        serving = self.server.serving
        asked = Asked(
            release=serving.release,
            model=serving.model,
            content_type=self.headers.get("Content-Type", ""),
            body=body,
        )
        self.server.asked.append({"path": self.path, **asked.fields})
        said = answered(serving.kind, asked) if serving.release else None
        if said:
            self._send_bytes(said.status, said.body, said.content_type)
        elif asked.fields.get("stream"):
            self._stream()
        else:
            self._send(200, answers.answer(self.path, asked.fields, serving.model))

    def _admitted(self) -> bool:
        """Return whether the caller has the key; where not, it was told so."""
        key = self.server.serving.key
        if not key or self.headers.get("Authorization") == f"Bearer {key}":
            return True
        self._send(401, {"error": {"message": "who are you?"}})
        return False

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in answers.stream(self.server.serving.model):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, value: object) -> None:
        # Without blanks, as the real servers write it: probes look for a piece of the text.
        body = json.dumps(value, separators=(",", ":")).encode()
        self._send_bytes(status, body, "application/json")

    def _send_bytes(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
