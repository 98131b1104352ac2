# SPDX-License-Identifier: Apache-2.0
"""A proxy that looks into TLS, as companies have them: each host's certificate is its own work.

It knows a few made-up hosts and leads to their stand-ins on this machine; no name is looked up.
"""

from __future__ import annotations

import base64
import selectors
import socket
import socketserver
import ssl
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from tests.standins.authority import Authority

PIECE = 1 << 16
LIMIT_S = 30.0


class InterceptingProxy:
    """Speaks CONNECT and plain HTTP, on one address of this machine."""

    def __init__(
        self, authority: Authority, *, address: str = "127.0.0.1", login: str = ""
    ) -> None:
        """`authority` signs the certificates; `login` is `NAME:PASSWORD`, empty for anybody."""
        self.authority = authority
        self.login = login
        self.hosts: dict[str, tuple[int, ssl.SSLContext | None]] = {}
        """Made-up host to a port of 127.0.0.1, and how its stand-in's certificate is checked."""
        self.asked: list[str] = []
        """`CONNECT host:port` or `GET http://...`, in order, refused ones too."""
        self._contexts: dict[str, ssl.SSLContext] = {}
        proxy = self

        class Connection(_Connection):
            pass

        Connection.proxy = proxy
        self._server = _Server((address, 0), Connection)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    @property
    def url(self) -> str:
        return f"http://{self.login}{'@' if self.login else ''}{self.address}"

    def tls_of(self, host: str) -> ssl.SSLContext:
        """Return a certificate for a host, made when it is first asked for."""
        if host not in self._contexts:
            self._contexts[host] = self.authority.server(host)
        return self._contexts[host]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_args: object) -> None:
        """Whoever does not trust a certificate hangs up."""


class _Connection(socketserver.BaseRequestHandler):
    proxy: InterceptingProxy
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(LIMIT_S)
        head = self._head()
        if not head:
            return
        first, *lines = head.decode("latin-1").splitlines()
        method, target, _ = first.split()
        self.proxy.asked.append(f"{method} {target}")
        if not self._admitted(lines):
            self._say("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="p"')
        elif method == "CONNECT":
            self._tunnel(target.partition(":")[0])
        else:
            self._pass_on(method, target, lines)

    def _head(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            byte = self.request.recv(1)
            if not byte:
                return b""
            head += byte
        return head

    def _admitted(self, lines: list[str]) -> bool:
        word = base64.b64encode(self.proxy.login.encode()).decode("ascii")
        given = [line for line in lines if line.lower().startswith("proxy-authorization:")]
        return not self.proxy.login or any(line.endswith(f"Basic {word}") for line in given)

    def _say(self, status: str, *headers: str) -> None:
        lines = (f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers, "", "")
        self.request.sendall("\r\n".join(lines).encode("latin-1"))

    def _tunnel(self, host: str) -> None:
        if host not in self.proxy.hosts:
            self._say("502 Bad Gateway")
            return
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        context = self.proxy.tls_of(host)
        with context.wrap_socket(self.request, server_side=True) as inner, self._way(host) as outer:
            _relay(inner, outer)

    def _pass_on(self, method: str, target: str, lines: list[str]) -> None:
        host, _, path = target.partition("://")[2].partition("/")
        if host.partition(":")[0] not in self.proxy.hosts:
            self._say("502 Bad Gateway")
            return
        kept = [line for line in lines if line and not line.lower().startswith("proxy-")]
        head = "\r\n".join((f"{method} /{path} HTTP/1.1", *kept, "Connection: close", "", ""))
        with self._way(host.partition(":")[0]) as outer:
            outer.sendall(head.encode("latin-1"))
            _relay(self.request, outer)

    def _way(self, host: str) -> socket.socket:
        port, context = self.proxy.hosts[host]
        plain = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        return context.wrap_socket(plain, server_hostname=host) if context else plain


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Hand on whatever comes until either side has nothing more to say."""
    with selectors.DefaultSelector() as selector:
        for here, there in ((one, other), (other, one)):
            here.settimeout(0)
            selector.register(here, selectors.EVENT_READ, there)
        while ready := selector.select(LIMIT_S):
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                if not _hand_on(key.fileobj, key.data):
                    return


def _hand_on(here: socket.socket, there: socket.socket) -> bool:
    """Hand on what there is; return whether more may come."""
    while True:
        try:
            piece = here.recv(PIECE)
        except (ssl.SSLWantReadError, BlockingIOError):
            return True
        except OSError:
            return False
        if not piece:
            return False
        there.settimeout(LIMIT_S)
        there.sendall(piece)
        there.settimeout(0)
