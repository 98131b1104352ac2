# SPDX-License-Identifier: Apache-2.0
"""Is a gateway's answer read whole, and given up on whatever a hostile one sends?"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.metrics_client import text_at
from ttctl.errors import EngineError
from ttctl.model.tls import At

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def door(answer: Callable[[socket.socket], object]) -> Iterator[tuple[int, list[bytes]]]:
    """Answer one connection; yield its port and what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                asked.append(connection.recv(4096))
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], asked
        thread.join(10)
        assert not thread.is_alive()


def sends(*pieces: bytes) -> Callable[[socket.socket], object]:
    return lambda connection: [connection.sendall(piece) for piece in pieces]


def goes_on(head: bytes, piece: bytes, *, pause_s: float) -> Callable[[socket.socket], object]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause_s)

    return answer


def refused(answer: Callable[[socket.socket], object], *, most: int = 1000) -> str:
    with door(answer) as (port, _), pytest.raises(EngineError) as caught:
        text_at(At(port=port), "key", "/metrics?scope=server", limit_s=0.5, most=most)
    return caught.value.evidence


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((OK + b"Content-Length: 4\r\n\r\na 1\n",), id="of a length"),
        pytest.param((ENDLESS, b"2\r\na \r\n", b"2\r\n1\n\r\n0\r\n\r\n"), id="in chunks"),
        pytest.param((OK + b"\r\n", b"a 1\n"), id="to the end"),
    ],
)
def test_an_answer_is_read_whole_and_asked_for_with_the_key(pieces: tuple[bytes, ...]) -> None:
    with door(sends(*pieces)) as (port, asked):
        assert text_at(At(port=port), "secret", "/metrics") == "a 1\n"
    assert b"Authorization: Bearer secret" in asked[0]


@pytest.mark.parametrize(
    ("answer", "evidence"),
    [
        pytest.param(sends(b"HTTP/1.1 401 No\r\n\r\n"), "HTTP status 401", id="another status"),
        pytest.param(sends(b"garbage\r\n\r\n"), "garbage", id="no HTTP"),
        pytest.param(sends(OK + b"Content-Length: 9\r\n\r\na"), "", id="cut off"),
        pytest.param(sends(OK + b"\r\n" + b"x" * 2000), "more than 1000 bytes", id="too long"),
        pytest.param(
            goes_on(ENDLESS, b"1\r\nx\r\n", pause_s=0.02), "not within 0.5 s", id="bytes for ever"
        ),
        pytest.param(
            goes_on(OK, b"X-A: b\r\n", pause_s=0.02), "not within 0.5 s", id="headers for ever"
        ),
        pytest.param(lambda _: time.sleep(2), "", id="nothing"),
    ],
)
def test_what_is_no_answer_is_refused_in_time(
    answer: Callable[[socket.socket], object], evidence: str
) -> None:
    began = time.monotonic()
    assert evidence in refused(answer)
    assert time.monotonic() - began < 10


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(EngineError, match="does not answer at /metrics"):
        text_at(At(port=port), "key", "/metrics", limit_s=0.5)
