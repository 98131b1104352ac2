# SPDX-License-Identifier: Apache-2.0
"""A small server of catalogs that can do all that servers and things in between do wrong."""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.standins.web import Handler, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIP_S = 0.1
"""Pause before each byte of a slow answer."""
HEADERS = {"html": {"Content-Type": "text/html"}, "packed": {"Content-Encoding": "gzip"}}
LENGTHS = {"huge": str(10**12), "short": "2"}
"""What the answer says it has; it is one byte long."""


@dataclass(slots=True, kw_only=True)
class CatalogServer:
    """What lies where, what goes wrong there, and what was asked."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    """Path to a status (`500`), `drip`, one of the words above, or where it redirects to."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path, If-None-Match) of each request."""

    def url(self, path: str = "") -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"


class _Catalogs(Handler):
    server_of: CatalogServer

    def do_GET(self) -> None:  # noqa: N802 - the library's word
        here = self.server_of
        here.asked.append((self.path, self.headers.get("If-None-Match", "")))
        body, fault = here.files.get(self.path), here.faults.get(self.path, "")
        if fault.isdecimal():
            self.answer(int(fault), b"no")
        elif fault in HEADERS:
            self.answer(200, b"<html>log in</html>", HEADERS[fault])
        elif fault in LENGTHS:
            self.answer(200, b"{", {"Content-Length": LENGTHS[fault]})
            self.close_connection = True
        elif fault == "drip":
            self._drip()
        elif fault:
            self.answer(302, b"", {"Location": fault})
        elif body is None:
            self.answer(404, b"nothing")
        else:
            self._send(body)

    def _send(self, body: bytes) -> None:
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            self.answer(304, b"", {"ETag": etag})
        else:
            self.answer(200, body, {"ETag": etag, "Content-Type": "text/plain"})

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(100):
            try:
                self.wfile.write(b" ")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(DRIP_S)


@contextmanager
def catalog_server(**files: bytes) -> Iterator[CatalogServer]:
    """Serve catalogs on loopback for the length of a block."""
    here = CatalogServer(files={f"/{name}": body for name, body in files.items()})

    class Catalogs(_Catalogs):
        asked: list[str] = []  # noqa: RUF012 - one server, one list
        server_of = here

    with serving(Catalogs) as here.port:
        yield here
