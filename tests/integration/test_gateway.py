# SPDX-License-Identifier: Apache-2.0
"""The gateway, in its container and before a stand-in for the engine, is the one safe door."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import openai
import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from ttctl.adapters.templates import ShippedRecipes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

testcontainers_config.ryuk_disabled = True
pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
STAND_IN = Path(__file__).parent / "gateway_upstream"
KEY = "canary-of-the-gateways-key-0123456789abcdef"
LIMIT = 20
BODY_LIMIT = 33554432
REFUSED = (STAND_IN / "refused.txt").read_text().split()
"""vLLM's other paths, then allowed ones in disguise."""


@pytest.fixture(scope="session")
def gateway_image() -> str:
    """Name an image that was built from images/gateway."""
    if image := os.environ.get("TTCTL_TEST_GATEWAY", ""):
        return image
    pytest.skip("TTCTL_TEST_GATEWAY names no image of images/gateway")


@pytest.fixture(scope="session")
def python_image() -> str:
    """Name an image that has a `python3` on its path, for the stand-in."""
    if image := os.environ.get("TTCTL_TEST_PYTHON", ""):
        return image
    pytest.skip("TTCTL_TEST_PYTHON names no image that has python3")


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
    new_upstream: Callable[[], DockerContainer]
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
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2 * LIMIT)) as side:
            side.request("GET", f"/{word}")
            return json.loads(side.getresponse().read())

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
def door_with(image: str, python: str, folder: Path) -> Iterator[Door]:
    """Start a gateway as a stack does, before any engine exists."""
    recipes = ShippedRecipes(ROOT)
    defaults = recipes.defaults("gateway")
    values: dict[str, object] = {
        "engine": "vllm",
        "engine_port": 8000,
        "max_body_bytes": BODY_LIMIT,
        "retry_after_s": 5,
        "paths": defaults.paths,
    }
    for name in ("config", "keys"):
        (folder / name).mkdir()
    text = recipes.template("gateway/haproxy.cfg.j2", values)
    (folder / "config" / "haproxy.cfg").write_text(text)
    write_keys(folder / "keys", KEY)
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        gateway = DockerContainer(image).with_network(network)
        gateway.ports["8080/tcp"] = ("127.0.0.1", None)
        gateway.with_volume_mapping(folder / "config", "/etc/ttctl/gateway")
        gateway.with_volume_mapping(folder / "keys", "/run/secrets/gateway")
        gateway.with_tmpfs_mount("/tmp", f"size={defaults.tmpfs_mib}m")  # noqa: S108 - a container's
        gateway.with_kwargs(
            user="1000:1000",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit=f"{defaults.memory_mib}m",
            pids_limit=defaults.pids,
        )
        container = stack.enter_context(gateway).get_wrapped_container()
        until(lambda: container.exec_run(list(defaults.health.test[1:])).exit_code == 0)

        def new_upstream() -> DockerContainer:
            upstream = DockerContainer(python).with_network(network).with_network_aliases("vllm")
            upstream.with_volume_mapping(STAND_IN, "/stand-in")
            upstream.with_kwargs(entrypoint=["python3", "/stand-in/serve.py"], init=True)
            upstream.ports["8001/tcp"] = ("127.0.0.1", None)
            return upstream

        port = gateway.get_exposed_port(8080)
        door = Door(network, folder, container, port, new_upstream)
        stack.callback(door.stop_upstream)
        yield door


@pytest.fixture
def lone_door(gateway_image: str, python_image: str, tmp_path: Path) -> Iterator[Door]:
    """Yield a gateway of the test's own, before any engine exists."""
    with door_with(gateway_image, python_image, tmp_path) as door:
        yield door


@pytest.fixture(scope="module")
def shared_door(
    gateway_image: str, python_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    with door_with(gateway_image, python_image, tmp_path_factory.mktemp("gateway")) as door:
        door.start_upstream()
        door.wait_for(200)
        yield door


@pytest.fixture
def door(shared_door: Door) -> Door:
    """Give the shared gateway, ready and with nothing remembered."""
    shared_door.side("health/200")
    shared_door.wait_for(200)
    shared_door.side("forget")
    return shared_door


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


# The key.


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="missing"),
        pytest.param(["Authorization:"], id="empty"),
        pytest.param(["Authorization: Bearer"], id="scheme only"),
        pytest.param(["Authorization: Bearer "], id="empty key"),
        pytest.param(["Authorization: Bearer wrong"], id="wrong"),
        pytest.param([f"Authorization: Bearer {KEY}x"], id="longer"),
        pytest.param([f"Authorization: Bearer {KEY[:-1]}"], id="shorter"),
        pytest.param([f"Authorization: Bearer {KEY.upper()}"], id="other case"),
        pytest.param([f"Authorization: Basic {KEY}"], id="other scheme"),
        pytest.param([f"Authorization: {KEY}"], id="no scheme"),
        pytest.param([f"Authorization: Bearer  {KEY}"], id="two spaces"),
        pytest.param([f"Authorization: Bearer {KEY} x"], id="trailing word"),
        pytest.param([f"Authorization: Bearer {KEY}, Bearer x"], id="list"),
        pytest.param([AUTHORIZED, AUTHORIZED], id="twice the same"),
        pytest.param([AUTHORIZED, "Authorization: Bearer x"], id="twice"),
        pytest.param(["Authorization: Bearer", f" {KEY}"], id="folded"),
        pytest.param([f"X-Api-Key: {KEY}"], id="other header"),
        pytest.param([f"Authorization: Bearer {'a' * 600}"], id="long"),
        pytest.param([f"Authorization: Bearer {'a' * 14000}"], id="huge"),
        pytest.param(["Authorization: Bearer \u00ff\u20ac"], id="not ASCII"),
        pytest.param([f"Authorization: Bearer \0{KEY}"], id="zero byte"),
        pytest.param(
            [f"Authorization: Bearer {hashlib.sha256(KEY.encode()).hexdigest()}"], id="the hash"
        ),
    ],
)
def test_a_wrong_or_missing_key_is_a_401_in_openais_shape(door: Door, lines: list[str]) -> None:
    answer = answer_of(door.raw(request_bytes("GET /v1/models HTTP/1.1", *lines)))
    assert answer.status == 401
    assert answer.error["code"] == "invalid_api_key"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert door.seen() == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_schemes_case_does_not_matter(door: Door, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {KEY}"}
    assert door.ask("/v1/models", key=None, headers=headers).status == 200


def test_headers_beyond_what_is_read_are_refused_as_a_bad_request(door: Door) -> None:
    huge = f"Authorization: Bearer {'a' * 100_000}"
    answer = answer_of(door.raw(request_bytes("GET /v1/models HTTP/1.1", huge)))
    assert answer.status == 400


def test_the_key_comes_before_the_path_the_method_and_the_size(door: Door) -> None:
    assert door.ask("/nowhere", key=None).status == 401
    assert door.ask("/v1/models", method="DELETE", key=None).status == 401
    assert door.ask("/gateway/metrics", key=None).status == 401
    assert door.ask("/metrics", key=None).status == 401
    too_large = {"Content-Length": str(BODY_LIMIT + 1)}
    answer = door.ask("/v1/completions", method="POST", key=None, headers=too_large)
    assert answer.status == 401


def test_the_openai_client_knows_the_gateways_errors(door: Door) -> None:
    with door.openai("wrong") as client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "invalid_api_key"
    with door.openai() as client, pytest.raises(openai.NotFoundError) as unknown:
        client.images.generate(prompt="x", model="x")
    assert unknown.value.code == "unknown_url"
    assert "POST /v1/images/generations" in unknown.value.message


def test_a_large_body_with_a_wrong_key_still_gets_its_401(door: Door) -> None:
    for _ in range(5):
        with door.openai("wrong") as client, pytest.raises(openai.AuthenticationError):
            client.completions.create(model="any", prompt="x" * 1_000_000)


def test_an_unknown_model_is_the_engines_own_404(door: Door) -> None:
    with door.openai() as client, pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="missing", messages=[])
    assert caught.value.param == "model"
    assert caught.value.type == "NotFoundError"


# The paths.


@pytest.mark.parametrize(
    "path",
    [
        *ShippedRecipes(ROOT).defaults("gateway").paths,
        "/v1/models/llama",
        "/v1/models/meta-llama/Llama-3.1-8B-Instruct",
        "/v1/models?limit=1",
    ],
)
def test_an_allowed_path_reaches_the_engine_as_it_is(door: Door, path: str) -> None:
    assert door.ask(path).status == 200
    assert [seen["path"] for seen in door.seen()] == [path]


@pytest.mark.parametrize("path", REFUSED)
def test_no_other_path_reaches_the_engine(door: Door, path: str) -> None:
    for method in ("GET", "POST"):
        line = f"{method} {path} HTTP/1.1"
        answer = answer_of(door.raw(request_bytes(line, AUTHORIZED, "Content-Length: 0")))
        # A backslash and other bytes that no URL holds are refused by the parser itself.
        assert answer.status == 404
        assert answer.error["code"] == "unknown_url"
    assert door.seen() == []


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param("GET http://x/v1/models HTTP/1.1", 404, id="absolute"),
        pytest.param("GET http://x/pause HTTP/1.1", 404, id="absolute administrative"),
        pytest.param("GET http://other/v1/models HTTP/1.1", 400, id="absolute other host"),
        pytest.param("GET v1/models HTTP/1.1", 400, id="relative"),
        pytest.param("GET /v1/models#/pause HTTP/1.1", 400, id="fragment"),
        pytest.param("GET /v1/models /pause HTTP/1.1", 400, id="space"),
        pytest.param("CONNECT vllm:8000 HTTP/1.1", 400, id="connect"),
        pytest.param("OPTIONS * HTTP/1.1", 404, id="asterisk"),
        pytest.param("TRACE /v1/models HTTP/1.1", 405, id="trace"),
        pytest.param("PRI * HTTP/2.0", 400, id="HTTP/2"),
    ],
)
def test_no_trick_of_the_request_line_reaches_the_engine(
    door: Door, line: str, status: int
) -> None:
    assert answer_of(door.raw(request_bytes(line, AUTHORIZED))).status == status
    assert door.seen() == []


def test_health_needs_no_key_only_in_its_plain_form(door: Door) -> None:
    assert door.ask("/health", key=None).body == b'{"health": 200}'
    assert door.ask("/livez", key=None).status == 200
    assert door.raw(request_bytes("GET http://x/health HTTP/1.1")).startswith(b"HTTP/1.1 401 ")
    assert door.ask("/health/x", key=None).status == 401


def test_an_unknown_path_is_told_back_as_valid_json(door: Door) -> None:
    line = f'GET /"{"<" * 4000}\\ HTTP/1.1'
    answer = answer_of(door.raw(request_bytes(line, AUTHORIZED)))
    assert answer.error["message"].startswith('Unknown request URL: GET /"<<<')


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "FOO"])
def test_another_method_is_a_405(door: Door, method: str) -> None:
    answer = door.ask("/v1/models", method=method)
    assert answer.status == 405
    assert answer.error["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert door.seen() == []


def test_no_upgrade_tunnels_past_the_checks(door: Door) -> None:
    upgrade = ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]
    raw = door.raw(request_bytes("GET /v1/models HTTP/1.1", AUTHORIZED, *upgrade))
    assert raw.startswith(b"HTTP/1.1 200 ")
    assert not {"upgrade", "http2-settings"} & set(door.seen()[0]["headers"])


# The body.


def test_a_prompt_of_one_megabyte_passes_byte_by_byte(door: Door) -> None:
    body = json.dumps({"prompt": os.urandom(524_288).hex()}).encode()
    assert door.ask("/v1/completions", body).status == 200
    (seen,) = door.seen()
    assert (seen["length"], seen["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


def test_a_body_at_the_limit_passes(door: Door) -> None:
    body = b'{"prompt": "%b"}' % (b"x" * (BODY_LIMIT - 14))
    assert len(body) == BODY_LIMIT
    assert door.ask("/v1/completions", body).status == 200


def test_a_body_beyond_the_limit_is_a_413_for_the_openai_client(door: Door) -> None:
    for _ in range(3):
        with door.openai() as client, pytest.raises(openai.APIStatusError) as caught:
            client.completions.create(model="any", prompt="x" * (BODY_LIMIT + 1))
        assert caught.value.status_code == 413
        assert caught.value.code == "request_too_large"
    assert door.seen() == []


@pytest.mark.parametrize(
    ("length", "status"),
    [
        pytest.param(str(BODY_LIMIT + 1), 413, id="one more"),
        pytest.param(str(2**31), 413, id="31 bits"),
        pytest.param(str(2**32 + 1), 413, id="32 bits and one"),
        pytest.param(str(2**64 + 1), 413, id="64 bits and one"),
        pytest.param("0" * 20 + "2", 413, id="zeros before"),
        pytest.param("-1", 400, id="negative"),
        pytest.param("0x10", 400, id="hexadecimal"),
        pytest.param("2, 3", 400, id="two"),
    ],
)
def test_a_length_that_lies_is_refused(door: Door, length: str, status: int) -> None:
    line = "POST /v1/completions HTTP/1.1"
    raw = door.raw(request_bytes(line, AUTHORIZED, f"Content-Length: {length}", body=b"{}"))
    assert answer_of(raw).status == status
    assert door.seen() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_chunked_body_is_a_411_since_its_size_is_not_known(door: Door, method: str) -> None:
    line = f"{method} /v1/completions HTTP/1.1"
    chunked = [AUTHORIZED, "Transfer-Encoding: chunked"]
    answer = answer_of(door.raw(request_bytes(line, *chunked, body=b"2\r\n{}\r\n0\r\n\r\n")))
    assert answer.status == 411
    assert answer.error["code"] == "length_required"
    assert door.seen() == []


@pytest.mark.parametrize("coding", ["xchunked", "identity", "gzip, chunked", "chunked, chunked"])
def test_an_odd_coding_never_reaches_the_engine(door: Door, coding: str) -> None:
    lines = [AUTHORIZED, f"Transfer-Encoding: {coding}", "Content-Length: 2"]
    answer = answer_of(door.raw(request_bytes("POST /v1/completions HTTP/1.1", *lines, body=b"{}")))
    assert 400 <= answer.status < 500
    assert door.seen() == []


# What the engine sees.


def test_the_engine_sees_neither_the_key_nor_what_a_client_says_of_its_origin(door: Door) -> None:
    claimed = {
        "Forwarded": "for=1.2.3.4",
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-Prefix": "/evil",
        "X-Real-Ip": "1.2.3.4",
    }
    assert door.ask("/v1/models", headers=claimed).status == 200
    headers = door.seen()[0]["headers"]
    assert not {"authorization", *(name.lower() for name in claimed)} & set(headers)
    assert KEY not in json.dumps(headers)


def test_a_request_has_an_id_that_client_and_engine_see(door: Door) -> None:
    given = door.ask("/v1/models", headers={"X-Request-Id": "mine-1"})
    made = door.ask("/v1/models")
    odd = door.ask("/v1/models", headers={"X-Request-Id": 'a"b ' + "x" * 99})
    ids = [seen["headers"]["x-request-id"] for seen in door.seen()]
    assert ids == [answer.headers["X-Request-Id"] for answer in (given, made, odd)]
    assert ids[0] == "mine-1"
    assert {len(ids[1]), len(ids[2])} == {36}
    assert len(door.ask("/v1/models", key=None).headers["X-Request-Id"]) == 36


# Streams.


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


def test_each_chunk_arrives_before_the_next_one_is_sent(door: Door) -> None:
    with streaming(door) as (_, response):
        read_events(door, response, range(5))
        assert response.read() == b""


def test_a_client_that_leaves_a_stream_ends_the_work(door: Door) -> None:
    with streaming(door) as (_, response):
        read_events(door, response, range(1))
    assert door.side("left")


def test_a_client_that_leaves_before_an_answer_ends_the_work(door: Door) -> None:
    with door.connection() as connection:
        headers = {"Authorization": f"Bearer {KEY}"}
        connection.request("POST", "/v1/completions", b'{"model": "hang"}', headers)
        assert door.side("waiting")
    assert door.side("left")


# The engine comes and goes.


def test_before_the_engine_exists_the_gateway_says_when_to_come_back(lone_door: Door) -> None:
    assert lone_door.ask("/livez", key=None).status == 200
    for path, key in (("/health", None), ("/v1/models", KEY)):
        answer = lone_door.ask(path, key=key)
        assert answer.status == 503
        assert answer.error["code"] == "engine_not_ready"
        assert answer.headers["Retry-After"] == "5"
    assert lone_door.ask("/v1/models", key=None).status == 401
    assert lone_door.ask("/pause").status == 404
    with lone_door.openai() as client, pytest.raises(openai.InternalServerError) as caught:
        client.models.list()
    assert caught.value.status_code == 503
    assert caught.value.code == "engine_not_ready"


def test_an_engine_that_was_recreated_elsewhere_is_found_again(lone_door: Door) -> None:
    lone_door.start_upstream()
    assert lone_door.wait_for(200) < 5
    lone_door.stop_upstream()
    assert lone_door.wait_for(503) < 5
    # What holds the address that is free now, so that the engine gets another.
    with lone_door.new_upstream().with_network_aliases("other"):
        lone_door.start_upstream()
        assert lone_door.wait_for(200) < 5
        assert lone_door.ask("/v1/models").status == 200
        assert len(lone_door.seen()) == 1


def test_an_engine_that_is_not_ready_gets_no_request_but_keeps_its_streams(door: Door) -> None:
    with streaming(door) as (_, response):
        read_events(door, response, range(2))
        door.side("health/503")
        until(lambda: b"engine_not_ready" in door.ask("/health", key=None).body)
        answer = door.ask("/v1/completions", {"prompt": "x"})
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        read_events(door, response, range(2, 5))
    assert [seen["path"] for seen in door.seen()] == ["/v1/chat/completions"]


def test_an_engine_that_breaks_off_is_a_502_and_is_not_asked_twice(door: Door) -> None:
    answer = door.ask("/v1/completions", {"model": "break"})
    assert answer.status == 502
    assert answer.error["type"] == "server_error"
    assert len(door.seen()) == 1


# Reload and stop.


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


def test_a_reload_under_load_loses_no_request(lone_door: Door) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    with Load(lone_door) as load:
        for number in range(5):
            lone_door.reload(KEY, f"another-{number}")
            until(lambda: lone_door.ask("/livez", key=None).status == 200)
            time.sleep(0.3)
    assert load.failures == []
    assert set(load.statuses) == {200}
    assert len(load.statuses) > 100


def test_a_reload_reads_the_keys_again_and_keeps_the_streams(lone_door: Door) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    with streaming(lone_door) as (_, response):
        read_events(lone_door, response, range(2))
        lone_door.reload("the-new-key")
        until(lambda: lone_door.ask("/v1/models", key="the-new-key").status == 200)
        assert lone_door.ask("/v1/models").status == 401
        read_events(lone_door, response, range(2, 5))


def test_a_configuration_that_is_wrong_leaves_the_old_one_serving(lone_door: Door) -> None:
    config = lone_door.folder / "config"
    (config / "new").write_text("frontend {\n")
    (config / "new").replace(config / "haproxy.cfg")
    lone_door.container.kill("SIGUSR2")
    until(lambda: "unknown keyword" in lone_door.log() or "Error(s) found" in lone_door.log())
    assert lone_door.ask("/livez", key=None).status == 200
    assert lone_door.ask("/v1/models", key=None).status == 401


def test_a_stop_lets_a_running_stream_end_and_takes_nothing_new(lone_door: Door) -> None:
    lone_door.start_upstream()
    lone_door.wait_for(200)
    with streaming(lone_door) as (_, response):
        read_events(lone_door, response, range(2))
        stopping = threading.Thread(target=lone_door.container.stop, kwargs={"timeout": LIMIT})
        stopping.start()
        time.sleep(0.5)
        with pytest.raises((OSError, http.client.HTTPException)):
            lone_door.ask("/livez", key=None)
        read_events(lone_door, response, range(2, 5))
        assert response.read() == b""
    stopping.join()
    assert lone_door.container.wait(timeout=LIMIT)["StatusCode"] == 0


# The container.


def test_the_door_is_on_loopback_only_and_has_no_power(door: Door) -> None:
    door.container.reload()
    (published,) = door.container.attrs["NetworkSettings"]["Ports"]["8080/tcp"]
    assert published["HostIp"] == "127.0.0.1"
    command = ["bash", "-c", "cat /proc/1/status; ! touch /x /etc/ttctl/gateway/x /usr/x"]
    exit_code, output = door.container.exec_run(command)
    assert exit_code == 0
    status = dict(line.split(":\t", 1) for line in output.decode().splitlines() if ":\t" in line)
    assert status["Name"] == "haproxy"
    assert status["Uid"].split() == ["1000"] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_what_the_image_promises_holds_inside_it(gateway_image: str) -> None:
    verify = ROOT / "images" / "gateway" / "verify"
    container = DockerContainer(gateway_image).with_volume_mapping(verify, "/verify")
    container.with_tmpfs_mount("/tmp")  # noqa: S108 - a container's
    container.with_kwargs(entrypoint=["/verify"], read_only=True, cap_drop=["ALL"])
    with container:
        result = container.get_wrapped_container().wait(timeout=LIMIT)
        assert result["StatusCode"] == 0, container.get_logs()


def test_the_gateways_own_metrics_count_requests(door: Door) -> None:
    door.ask("/v1/models")
    text = door.ask("/gateway/metrics").body.decode()
    assert 'haproxy_backend_http_responses_total{proxy="engine",code="2xx"}' in text
    assert door.seen()[-1]["path"] == "/v1/models"


def test_a_log_line_is_an_object_without_key_prompt_or_query(door: Door) -> None:
    secret = "canary-of-a-prompt"  # noqa: S105 - a word to look for
    answer = door.ask(f"/v1/models?q={secret}", headers={"X-Note": secret})
    door.ask(f"/v1/completions?key={KEY}", {"prompt": secret})
    door.ask(f"/{KEY}/{secret}")
    door.ask(f"/{KEY}", key=f"{KEY}-wrong")
    request_id = answer.headers["X-Request-Id"]
    until(lambda: request_id in door.log())
    log = door.log()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["id"] == request_id]
    assert (line["key"], line["method"], line["path"]) == ("user", "GET", "/v1/models")
    assert (line["status"], line["end"]) == (200, "--")
    assert KEY not in log
    assert secret not in log
    assert hashlib.sha256(KEY.encode()).hexdigest() not in log


def test_a_client_that_sends_its_headers_byte_by_byte_is_sent_away(door: Door) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", door.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nX: ")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 15
