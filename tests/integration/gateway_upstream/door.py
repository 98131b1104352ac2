# SPDX-License-Identifier: Apache-2.0
"""A gateway in its container, a stand-in for the engine behind it, and how a test asks them."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import openai
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from ttctl.adapters.files import write_atomically
from ttctl.adapters.templates import ShippedRecipes
from ttctl.model.tls import PORT
from ttctl.rules.gateway_routes import MEMORY_MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

testcontainers_config.ryuk_disabled = True

ROOT = Path(__file__).parents[3]
STAND_IN = Path(__file__).parent
KEY = "canary-of-the-gateways-key-0123456789abcdef"
LIMIT = 20
BODY_LIMIT = 33554432


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error, after a check that its shape is OpenAI's."""
        assert self.headers["Content-Type"] == "application/json"
        value = json.loads(self.body)
        assert set(value) == {"error"}
        assert set(value["error"]) == {"message", "type", "param", "code"}
        assert value["error"]["message"]
        error: dict[str, Any] = value["error"]
        return error


@dataclass
class Door:
    """A gateway, what it mounts, and the stand-in behind it."""

    network: Network
    folder: Path
    container: Container
    port: int
    new_upstream: Callable[..., DockerContainer]
    upstream: DockerContainer | None = None

    def ask(
        self,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        method: str = "",
        key: str | None = KEY,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request over a connection of its own."""
        with self.connection() as connection:
            raw = json.dumps(body).encode() if isinstance(body, dict) else body
            sent = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
            connection.request(method or ("GET" if body is None else "POST"), path, raw, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def connection(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT))

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are, and return everything that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def openai(self, key: str = KEY) -> openai.OpenAI:
        url = f"http://127.0.0.1:{self.port}/v1"
        return openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=LIMIT)

    def start_upstream(self) -> None:
        assert self.upstream is None
        self.upstream = self.new_upstream().start()

    def stop_upstream(self) -> None:
        if self.upstream is not None:
            self.upstream.stop()
            self.upstream = None

    def side(self, word: str) -> Any:  # noqa: ANN401 - whatever the stand-in says
        """Ask the stand-in on its side channel."""
        assert self.upstream is not None
        port = self.upstream.get_exposed_port(8001)
        until = time.monotonic() + LIMIT
        while True:
            # Its container is there before its program listens.
            try:
                return _asked(port, word)
            except ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def seen(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.side("seen")
        return found

    def wait_for(self, status: int, *, within_s: float = LIMIT) -> float:
        """Return after how many seconds `/health` first answers `status`."""
        started = time.monotonic()
        while time.monotonic() - started < within_s:
            if self.ask("/health", key=None).status == status:
                return time.monotonic() - started
            time.sleep(0.05)
        raise AssertionError(f"no {status} within {within_s} s: {self.log()[-2000:]}")

    def reload(self, *keys: str) -> None:
        """Replace the keys, and let the gateway read them again."""
        write_keys(self.folder / "keys", *keys)
        loads = self.container.logs().count(b"Loading success")
        self.container.kill("SIGUSR2")
        until(lambda: self.container.logs().count(b"Loading success") > loads)

    def log(self) -> str:
        return self.container.logs().decode()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def write_keys(folder: Path, *keys: str) -> None:
    """Write hashes as `ttctl` does: whole, and then in one step."""
    text = "".join(f"{hashlib.sha256(key.encode()).hexdigest()} user\n" for key in keys)
    (folder / "new").write_text(text)
    (folder / "new").replace(folder / "keys.map")


@contextmanager
def door_with(
    image: str,
    python: str,
    folder: Path,
    values: dict[str, object] | None = None,
    *,
    pair: str = "",
) -> Iterator[Door]:
    """Start a gateway as a stack does, before any engine exists; `pair` is for TLS, in PEM form."""
    recipes = ShippedRecipes(ROOT)
    defaults = recipes.defaults("gateway")
    values = values or {
        "engine": "vllm",
        "engine_port": 8000,
        "max_body_bytes": BODY_LIMIT,
        "retry_after_s": 5,
        "paths": defaults.paths,
    }
    inside = PORT if pair else defaults.port
    values |= {"tls": PORT} if pair else {}
    memory_mib = MEMORY_MIB if "several" in values else defaults.memory_mib
    for name in ("config", "keys"):
        (folder / name).mkdir()
    text = recipes.template("gateway/haproxy.cfg.j2", values)
    (folder / "config" / "haproxy.cfg").write_text(text)
    write_keys(folder / "keys", KEY)
    if pair:
        write_atomically(folder / "keys" / "tls.pem", pair, mode=0o444)
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        gateway = DockerContainer(image).with_network(network)
        gateway.ports[f"{inside}/tcp"] = ("127.0.0.1", None)
        gateway.with_volume_mapping(folder / "config", "/etc/ttctl/gateway")
        gateway.with_volume_mapping(folder / "keys", "/run/secrets/gateway")
        gateway.with_tmpfs_mount("/tmp", f"size={defaults.tmpfs_mib}m")  # noqa: S108 - a container's
        gateway.with_kwargs(
            init=True,
            user="1000:1000",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit=f"{memory_mib}m",
            pids_limit=defaults.pids,
        )
        container = stack.enter_context(gateway).get_wrapped_container()
        until(lambda: container.exec_run(list(defaults.health.test[1:])).exit_code == 0)

        def new_upstream(name: str = "vllm") -> DockerContainer:
            upstream = DockerContainer(python).with_network(network).with_network_aliases(name)
            upstream.with_volume_mapping(STAND_IN, "/stand-in")
            upstream.with_kwargs(entrypoint=["python3", "/stand-in/serve.py"], init=True)
            upstream.ports["8001/tcp"] = ("127.0.0.1", None)
            return upstream

        port = gateway.get_exposed_port(inside)
        door = Door(network, folder, container, port, new_upstream)
        stack.callback(door.stop_upstream)
        yield door


def request_bytes(line: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [line, "Host: x", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answer_of(raw: bytes) -> Answer:
    """Parse what came from a raw connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, _, fields = head.partition(b"\r\n")
    headers = http.client.HTTPMessage()
    for line in fields.decode().splitlines():
        name, _, value = line.partition(": ")
        headers[name] = value
    return Answer(int(status.split()[1]), headers, body)


AUTHORIZED = f"Authorization: Bearer {KEY}"


@contextmanager
def streaming(door: Door) -> Iterator[tuple[socket.socket, http.client.HTTPResponse]]:
    """Begin an answer whose next event comes when the side channel says so."""
    with door.connection() as connection:
        headers = {"Authorization": f"Bearer {KEY}"}
        body = json.dumps({"model": "stream", "stream": True})
        connection.request("POST", "/v1/chat/completions", body, headers)
        assert door.side("waiting")
        response = connection.getresponse()
        yield connection.sock, response
        response.close()


def read_events(door: Door, response: http.client.HTTPResponse, numbers: range) -> None:
    """Let each event go only when the one before has been read: a buffer would hang here."""
    for number in numbers:
        door.side("next")
        assert response.readline() == f"data: {number}\n".encode()
        assert response.readline() == b"\n"


class Load:
    """Threads that ask without a pause, over kept and over fresh connections."""

    def __init__(self, door: Door) -> None:
        self.statuses: list[int] = []
        self.failures: list[Exception] = []
        self._door = door
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(kept,)) for kept in (1, 1, 0, 0)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, kept: int) -> None:
        try:
            while not self._done.is_set():
                with self._door.connection() as connection:
                    self._ask_over(connection)
                    while kept and not self._done.is_set():
                        self._ask_over(connection)
        except (OSError, http.client.HTTPException) as exc:
            self.failures.append(exc)

    def _ask_over(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {KEY}"})
        response = connection.getresponse()
        response.read()
        self.statuses.append(response.status)


def _asked(port: int, word: str) -> Any:  # noqa: ANN401 - whatever the stand-in says
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2 * LIMIT)) as side:
        side.request("GET", f"/{word}")
        return json.loads(side.getresponse().read())
