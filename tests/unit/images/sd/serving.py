# SPDX-License-Identifier: Apache-2.0
"""The real server on a port of its own, before a made-up back end."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.unit.images.sd.fakes import FakeBackend

from ttctl_sd.asked import Limits
from ttctl_sd.service import Service
from ttctl_sd.wire import Wire
from ttctl_serving.log import hold_libraries
from ttctl_serving.server import Server, config_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 20
PROBE_S = 0.3


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - as it came
        return json.loads(self.body)


@dataclass
class Running:
    """A server that runs."""

    backend: FakeBackend
    service: Service
    server: Server
    port: int
    could_not_load: list[bool] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(
        self,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = self.connect()
        sent = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        try:
            method = "GET" if sent is None else "POST"
            connection.request(method, path, body=sent, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def draw(self, **body: object) -> Answer:
        return self.ask("/v1/images/generations", {"prompt": "a red circle"} | body)

    def begin(self, **body: object) -> http.client.HTTPConnection:
        """Send a request and do not wait for the answer."""
        connection = self.connect()
        sent = json.dumps({"prompt": "a red circle"} | body)
        connection.request("POST", "/v1/images/generations", body=sent)
        return connection

    def metric(self, line: str) -> float:
        text = self.ask("/metrics").body.decode()
        found = [one for one in text.splitlines() if one.startswith(f"ttctl_sd_{line} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


def until(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.005)


@contextmanager
def libraries_held() -> Iterator[None]:
    """Log as the program does, whatever a test before has set up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    hold_libraries()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def running(
    backend: FakeBackend | None = None, *, key: bytes = b"", room: int = 2, loaded: bool = True
) -> Iterator[Running]:
    """Serve until the block ends."""
    with libraries_held():
        yield from _running(backend or FakeBackend(), key=key, room=room, loaded=loaded)


def _running(drawing: FakeBackend, *, key: bytes, room: int, loaded: bool) -> Iterator[Running]:
    limits = Limits(side_px=64)
    service = Service(drawing, served="sd", limits=limits, room=room)
    failed: list[bool] = []
    wire = Wire(service, cannot_load=lambda: failed.append(True), probe_s=PROBE_S)
    config = config_of(wire.door(key), host="127.0.0.1", port=0, finish_s=5)
    server = Server(config, at_stop=service.stop, at_last=service.line.interrupt)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the server listens")
    port = server.servers[0].sockets[0].getsockname()[1]
    found = Running(drawing, service, server, port, failed)
    if loaded:
        until(lambda: found.ask("/health").status == 200, "it is healthy")
    try:
        yield found
    finally:
        drawing.may_load.set()
        drawing.may_step.set()
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
