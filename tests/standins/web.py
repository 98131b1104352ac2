# SPDX-License-Identifier: Apache-2.0
"""Serve HTTP, or HTTPS, from a thread of this process for the length of a block."""

from __future__ import annotations

import base64
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


class Handler(BaseHTTPRequestHandler):
    """Asks for a name and a password where it was given some; prints nothing."""

    protocol_version = "HTTP/1.1"
    login = ""
    """`NAME:PASSWORD`, empty where everybody may read."""
    asked: list[str]
    """Method and path of each request that was let in."""

    def admitted(self) -> bool:
        """Return whether the caller may read; where not, it was told so."""
        word = base64.b64encode(self.login.encode()).decode("ascii")
        if not self.login or self.headers.get("Authorization") == f"Basic {word}":
            self.asked.append(f"{self.command} {self.path}")
            return True
        self.answer(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="stand-in"'})
        return False

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Keep the tests' output clean."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args: object) -> None:
        """A client that refuses a certificate hangs up, which is no failure of the server."""


@contextmanager
def serving(
    handler: type[Handler],
    *,
    address: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """Serve on a free port; yield it."""
    with _Server((address, 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
