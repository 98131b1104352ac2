# SPDX-License-Identifier: Apache-2.0
"""Does the door of our servers hold against clients that are slow, long, broken or gone?"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.images.sd.serving import libraries_held, until

from ttctl_serving.door import Door
from ttctl_serving.key import opens
from ttctl_serving.metrics import Metrics
from ttctl_serving.server import MOST_HEAD_BYTES, Connection, Server, config_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ttctl_serving.exchange import Exchange

MOST_BYTES = 1000
PIECE = "x" * 65536
PATIENCE_S = 20


class Hasty(Connection):
    """Waits for a head for less than a test."""

    head_s = 0.3


@dataclass
class Served:
    """A server that runs."""

    port: int
    metrics: Metrics
    read: list[object]
    server: Server

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def said(self, raw: bytes) -> tuple[int, dict[str, str], Any]:
        """Send bytes, and return the answer: status, headers, JSON."""
        with self.connect() as client:
            client.sendall(raw)
            return answer_of(client)

    def post(self, body: bytes) -> tuple[int, dict[str, str], Any]:
        return self.said(head(len(body)) + body)


def head(length: int) -> bytes:
    return (
        f"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


def answer_of(client: socket.socket) -> tuple[int, dict[str, str], Any]:
    raw = b""
    while more := client.recv(65536):
        raw += more
    first, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = first.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    return int(status.split()[1]), headers, json.loads(body)


@contextmanager
def serving(
    *,
    finish_s: int = 1,
    at_last: Callable[[], object] = lambda: None,
    most_bytes: int = MOST_BYTES,
    within_s: float = 0.5,
) -> Iterator[Served]:
    """Serve three paths: one reads JSON, one says very much, one says little."""
    metrics, read = Metrics("test"), []

    async def reads(exchange: Exchange) -> None:
        read.append(await exchange.json(most_bytes=most_bytes, within_s=within_s))
        await exchange.answer_json({"status": "read"})

    async def says(exchange: Exchange) -> None:
        async def much() -> None:
            for _ in range(1000):
                await exchange.event("text", {"text": PIECE})
            await exchange.end_events()

        await exchange.while_there(much())

    async def nothing() -> None:
        return

    routes = {
        "/read": ("POST", reads),
        "/much": ("GET", says),
        "/little": ("GET", lambda exchange: exchange.answer_json({"status": "ok"})),
    }
    door = Door(routes, key=b"", metrics=metrics, begin=lambda: None, end=nothing)
    config = config_of(door, host="127.0.0.1", port=0, finish_s=finish_s, connection=Hasty)
    server = Server(config, at_stop=lambda: None, at_last=at_last)
    thread = threading.Thread(target=server.run, daemon=True)
    with libraries_held():
        thread.start()
        until(lambda: server.started, "the server listens")
        try:
            yield Served(server.servers[0].sockets[0].getsockname()[1], metrics, read, server)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as found:
        yield found


def check_shape(answer: dict[str, Any], code: str) -> None:
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert (answer["error"]["type"], answer["error"]["code"]) == ("invalid_request_error", code)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b"\xff\xfe",
        '{"a": 1}'.encode("utf-16"), b'\xef\xbb\xbf{"a": 1}', b"[" * MOST_BYTES,
        b'{"a":' * 190, b'{"a": 1} 2', b"\x00",
    ],
    ids=[
        "empty", "half", "nan", "infinity", "minus infinity", "bytes", "utf-16", "mark", "deep",
        "deep objects", "two", "zero",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(served: Served, body: bytes) -> None:
    status, _, answer = served.post(body)
    assert status == 400
    check_shape(answer, "not_json")


def test_a_body_that_is_too_long_is_refused_before_it_is_whole(served: Served) -> None:
    before = len(served.read)
    assert served.post(b'"' + b"x" * (MOST_BYTES - 2) + b'"')[0] == 200
    status, _, answer = served.said(head(1 << 40) + b"x" * (MOST_BYTES + 1))
    assert status == 413
    check_shape(answer, "request_too_large")
    assert len(served.read) == before + 1


def test_a_body_that_comes_byte_by_byte_has_a_time_by_which_it_is_here(served: Served) -> None:
    with served.connect() as client:
        client.sendall(head(1000))
        for _ in range(8):
            client.sendall(b" ")
            time.sleep(0.05)
        status, headers, answer = answer_of(client)
    assert (status, headers["connection"]) == (408, "close")
    check_shape(answer, "request_timeout")


def test_a_head_that_comes_byte_by_byte_has_a_time_by_which_it_is_here(served: Served) -> None:
    with served.connect() as client:
        began = time.monotonic()
        for letter in b"GET /little":
            client.sendall(bytes([letter]))
            time.sleep(0.01)
        status, _, answer = answer_of(client)
        assert 0.2 < time.monotonic() - began < PATIENCE_S / 2
    assert status == 408
    check_shape(answer, "request_timeout")


def test_a_second_head_on_a_connection_has_a_time_too(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"GET /little HTTP/1.1\r\nHost: x\r\n\r\n")
        first = b""
        while not first.endswith(b"}"):
            first += client.recv(65536)
        client.sendall(b"GET /li")
        assert client.recv(65536).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_a_connection_that_says_nothing_is_closed_without_a_word(served: Served) -> None:
    with served.connect() as client:
        assert client.recv(1) == b""


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"hello\r\n\r\n", id="no request"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(
            b"GET /little HTTP/1.1\r\nX: " + b"x" * (MOST_HEAD_BYTES + 1), id="a long header"
        ),
        pytest.param(b"GET /" + b"x" * (MOST_HEAD_BYTES + 1), id="a long path"),
        pytest.param(
            b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", id="a length below 0"
        ),
        pytest.param(
            b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            id="two lengths",
        ),
    ],
)
def test_what_is_no_request_is_told_in_the_shape_of_all_errors(served: Served, raw: bytes) -> None:
    status, headers, answer = served.said(raw)
    assert (status, headers["content-type"]) == (400, "application/json")
    check_shape(answer, "bad_http")


def test_who_leaves_within_the_body_is_not_answered_and_nothing_is_begun(served: Served) -> None:
    before = len(served.read)
    with served.connect() as client:
        client.sendall(head(10) + b'{"a"')
    line = 'test_requests_total{path="/read",status="499"}'
    until(lambda: line in served.metrics.text(), "it is noted")
    assert len(served.read) == before


def test_who_does_not_read_holds_nobody_up(served: Served) -> None:
    with served.connect() as client:
        client.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        little = b"GET /little HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert [served.said(little)[0] for _ in range(5)] == [200] * 5
    until(lambda: 'path="/much"' in served.metrics.text(), "its leaving is noted")


class NeverEqual(bytes):
    """Bytes that may not be compared letter by letter."""

    __slots__ = ()
    __hash__ = bytes.__hash__

    def __eq__(self, other: object) -> bool:
        raise AssertionError


@pytest.mark.parametrize(
    ("said", "key", "opened"),
    [
        (b"Bearer abc", b"abc", True),
        (b"Bearer abd", b"abc", False),
        (b"Bearer ab", b"abc", False),
        (b"Bearer abcd", b"abc", False),
        (b"abc", b"abc", False),
        (b"", b"abc", False),
        (b"Bearer \xff", b"abc", False),
        (b"", b"", True),
    ],
)
def test_a_key_is_compared_in_a_time_that_says_nothing_of_it(
    said: bytes, key: bytes, *, opened: bool
) -> None:
    assert opens(NeverEqual(said), key) is opened


def test_a_histogram_counts_in_every_bucket_that_holds_the_value() -> None:
    metrics = Metrics("test")
    metrics.histogram("first_seconds", "Of a test.", (0.5, 1))
    for seconds in (0.5, 0.7, 3):
        metrics.observe("first_seconds", seconds)
    assert metrics.text().splitlines() == [
        "# HELP test_first_seconds Of a test.",
        "# TYPE test_first_seconds histogram",
        'test_first_seconds_bucket{le="0.5"} 1',
        'test_first_seconds_bucket{le="1"} 2',
        'test_first_seconds_bucket{le="+Inf"} 3',
        "test_first_seconds_sum 4.2",
        "test_first_seconds_count 3",
    ]


def test_what_takes_longer_than_a_stop_allows_is_told_to_end() -> None:
    told = []
    with serving(finish_s=0, at_last=lambda: told.append(True)) as found:
        client = found.connect()
        client.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        found.server.should_exit = True
        until(lambda: told, "it is told")
        client.close()
