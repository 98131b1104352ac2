# SPDX-License-Identifier: Apache-2.0
"""A server on loopback that answers with what a test gave it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stub(ThreadingHTTPServer):
    """Answers every request with what a test gave it, and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.body = b""
        self.cut = False
        self.asked: list[tuple[str, str, str | None, bytes]] = []


class Handler(BaseHTTPRequestHandler):
    server: Stub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        stub = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        stub.asked.append((self.command, self.path, self.headers.get("Authorization"), body))
        self.send_response(stub.status)
        self.send_header("Content-Length", str(len(stub.body) + 10 * stub.cut))
        self.end_headers()
        self.wfile.write(stub.body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def port(stub: Stub) -> int:
    return int(stub.server_address[1])
