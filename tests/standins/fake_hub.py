# SPDX-License-Identifier: Apache-2.0
"""A small model hub on loopback: what the real one says, and faults on demand.

Large files are redirected to a second server, as the real hub does to its content network, so that
a token that leaves the hub is seen; small ones take a redirect within the hub.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

_API = re.compile(r"/api/models/([^/]+/[^/]+)(?:/(?:revision/(.+)|(auth-check)))?")

FaultKind = Literal["cut", "corrupt", "html", "status", "slow", "no-range", "short"]


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` requests whose path contains `match`."""

    kind: FaultKind
    match: str
    times: int = 1
    at: int = 0
    """For `cut`: after how many bytes of the body the line breaks."""
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """For `slow`: how long each 4 KiB take, or the answer where there is no body."""


@dataclass(slots=True, kw_only=True)
class Repository:
    """One model repository at one commit."""

    files: dict[str, bytes]
    large: frozenset[str]
    commit: str
    gated: bool = False
    claimed_commit: str = ""
    """What a mirror says that ignores the commit that it was asked for."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """A request, noted before its answer goes out, so that a client that has it sees it here."""

    path: str
    range: str
    token: str
    on_cdn: bool
    sent: int = 0
    """Bytes of the body that were handed to the line."""


class FakeHub:
    """The hub and its content network, in two threads of this process."""

    accepted = "hf_accepted"
    """The token that opens a gated repository."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, cdn: str = "") -> None:
        """`tls` makes both servers speak it; `cdn` is the public name of the second one."""
        self._tls, self._cdn = tls, cdn
        self.repositories: dict[str, Repository] = {}
        self.accounts: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._servers = [self._server(on_cdn=False), self._server(on_cdn=True)]

    def __enter__(self) -> Self:
        for one in self._servers:
            threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stopping.set()
        for one in self._servers:
            one.shutdown()
            one.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def cdn(self) -> str:
        return self._cdn or f"http://localhost:{self._servers[1].server_port}"

    @property
    def ports(self) -> tuple[int, int]:
        """The hub's and the content network's, on 127.0.0.1."""
        return self._servers[0].server_port, self._servers[1].server_port

    def add(
        self, name: str, files: dict[str, bytes], *, large: set[str], gated: bool = False
    ) -> str:
        """Publish a repository; return its commit."""
        text = json.dumps({path: git_blob_id(body) for path, body in sorted(files.items())})
        commit = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self.repositories[name] = Repository(
            files=files, large=frozenset(large), commit=commit, gated=gated
        )
        return commit

    def fault_for(self, path: str, *, on_cdn: bool) -> Fault | None:
        """Take one fault that fits; body faults strike where the body is."""
        with self._lock:
            for one in self.faults:
                body = one.kind in {"cut", "corrupt", "no-range", "short"}
                if one.times and one.match in path and (not body or on_cdn or "/cache/" in path):
                    one.times -= 1
                    return one
        return None

    def note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)

    def sent(self, part: str = "") -> int:
        """Return how many bytes of files were served whose path contains `part`."""
        return sum(one.sent for one in self.seen if part in one.path)

    def _server(self, *, on_cdn: bool) -> ThreadingHTTPServer:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub, Handler.on_cdn = hub, on_cdn
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if self._tls is not None:
            server.socket = self._tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub
    on_cdn: bool

    def log_message(self, *_args: object) -> None:
        """Keep the tests' output clean."""

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        fault = self.hub.fault_for(path, on_cdn=self.on_cdn)
        if fault and fault.kind == "status":
            self._answer(fault.status, b"{}", dict(fault.headers))
        elif fault and fault.kind == "html":
            self._answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})
        elif path == "/api/whoami-v2":
            self._whoami()
        elif found := re.fullmatch(
            r"/api/models/([^/]+/[^/]+)(?:/(?:revision/(.+)|(auth-check)))?", path
        ):
            self._api(found[1], found[2], found[3], fault)
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            self._tree(found[1], found[2])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(found[1], found[2], found[3])
        elif found := re.fullmatch(r"/(?:cache|large)/([^/]+/[^/]+)/(.+)", path):
            self._body(found[1], found[2], fault)
        else:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _whoami(self) -> None:
        name = self.hub.accounts.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        headers = {"Content-Type": "application/json"}
        if name is None:
            self._answer(401, b"{}", headers | {"X-Error-Message": "Invalid credentials"})
        else:
            self._answer(200, json.dumps({"type": "user", "name": name}).encode(), headers)

    def _refuse(self, name: str, revision: str | None, *, reading: bool) -> bool:
        repository = self.hub.repositories.get(name)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if repository is None:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif revision not in {None, "main", repository.commit}:
            self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif repository.gated and reading and token != self.hub.accepted:
            self._answer(403 if token else 401, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            return False
        return True

    def _api(self, name: str, revision: str | None, check: str | None, fault: Fault | None) -> None:
        if fault and fault.kind == "slow":
            self.hub.stopping.wait(fault.seconds)
        if self._refuse(name, revision, reading=check is not None):
            return
        one = self.hub.repositories[name]
        siblings = [
            {
                "rfilename": path,
                "size": len(body),
                "blobId": git_blob_id(body),
                **({"lfs": _lfs(body)} if path in one.large else {}),
            }
            for path, body in one.files.items()
        ]
        info = {
            "_id": "1", "id": name, "modelId": name, "sha": one.commit, "private": False,
            "gated": "manual" if one.gated else False, "siblings": siblings,
        }  # fmt: skip
        self._answer(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _tree(self, name: str, revision: str) -> None:
        if self._refuse(name, revision, reading=False):
            return
        one = self.hub.repositories[name]
        listed = [
            {
                "type": "file", "path": path, "size": len(body), "oid": git_blob_id(body),
                **({"lfs": _lfs(body)} if path in one.large else {}),
            }
            for path, body in one.files.items()
        ]  # fmt: skip
        self._answer(200, json.dumps(listed).encode(), {"Content-Type": "application/json"})

    def _resolve(self, name: str, revision: str, path: str) -> None:
        if self._refuse(name, revision, reading=True):
            return
        one = self.hub.repositories[name]
        if path not in one.files:
            self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": one.commit})
            return
        body, large = one.files[path], path in one.large
        target = f"{self.hub.cdn}/large/{name}/{path}" if large else f"/cache/{name}/{path}"
        name_of = hashlib.sha256(body).hexdigest() if large else git_blob_id(body)
        self._answer(
            302 if large else 307,
            b"",
            {
                "Location": target,
                "X-Repo-Commit": one.claimed_commit or one.commit,
                "X-Linked-Etag": f'"{name_of}"',
                "X-Linked-Size": str(len(body)),
            },
        )

    def _body(self, name: str, path: str, fault: Fault | None) -> None:
        whole, kind = self.hub.repositories[name].files[path], fault.kind if fault else ""
        if kind == "corrupt":
            whole = bytes([whole[0] ^ 1]) + whole[1:]
        if kind == "short":
            whole = whole[:-1]
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found[1]) if found and kind != "no-range" else 0
        if start >= len(whole) > 0:
            self._answer(416, b"", {"Content-Range": f"bytes */{len(whole)}"})
            return
        headers = {"Content-Length": str(len(whole) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        seen = self._note()
        if self.command == "HEAD":
            named = {"ETag": f'"{git_blob_id(whole)}"'}
            commit = self.hub.repositories[name].commit
            self._head(200, headers | named | {"X-Repo-Commit": commit})
            return
        self._head(206 if start else 200, headers)
        body = whole[start : start + fault.at] if fault and kind == "cut" else whole[start:]
        self._drip(seen, body, fault.seconds if fault else 0.0)
        if kind == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _drip(self, seen: Seen, body: bytes, seconds: float) -> None:
        for begin in range(0, len(body), 4096) if seconds else (0,):
            piece = body[begin : begin + 4096] if seconds else body
            seen.sent += len(piece)
            self.wfile.write(piece)
            if seconds:
                self.hub.stopping.wait(seconds)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._note()
        self._head(status, {"Content-Length": str(len(body))} | headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _note(self) -> Seen:
        seen = Seen(
            path=unquote(self.path),
            range=self.headers.get("Range", ""),
            token=self.headers.get("Authorization", ""),
            on_cdn=self.on_cdn,
        )
        self.hub.note(seen)
        return seen


def git_blob_id(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


def _lfs(body: bytes) -> dict[str, object]:
    digest = hashlib.sha256(body).hexdigest()
    return {"sha256": digest, "oid": digest, "size": len(body), "pointerSize": 130}
