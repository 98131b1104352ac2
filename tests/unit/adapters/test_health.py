# SPDX-License-Identifier: Apache-2.0
"""Is a stack called healthy when its gateway says so, and at no other time?"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import health
from ttctl.model.tls import At

if TYPE_CHECKING:
    from collections.abc import Iterator


def healthy(at: At) -> bool:
    return health.asked(at).ok


@contextmanager
def door(
    *pieces: bytes, keep_open: threading.Event | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """Answer one connection with these bytes; yield its port and what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096))
                for piece in pieces:
                    connection.sendall(piece)
                if keep_open is not None:
                    keep_open.wait(10)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1], asked
        if keep_open is not None:
            keep_open.set()
        thread.join()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], True, id="200"),
        pytest.param([b"HTTP/1.0 200 OK\r\n\r\nfine"], True, id="the older version"),
        pytest.param([b"HT", b"TP/1.1 2", b"00 OK\r\n\r\n"], True, id="in pieces"),
        pytest.param([b"HTTP/1.1 200\r\n\r\n"], True, id="without a word"),
        pytest.param([b"HTTP/1.1 503 Service Unavailable\r\n\r\n"], False, id="503"),
        pytest.param([b"HTTP/1.1 2000 OK\r\n\r\n"], False, id="a number that is no status"),
        pytest.param([b"HTTP/1.1 404 200\r\n\r\n"], False, id="200 in another place"),
        pytest.param([b"220 200 mail.example.org\r\n"], False, id="another protocol"),
        pytest.param([b"\xff\xfe"], False, id="no text"),
        pytest.param([b""], False, id="nothing"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (1 << 17)], False, id="without an end"),
    ],
)
def test_only_an_answer_of_200_is_healthy(pieces: list[bytes], *, expected: bool) -> None:
    with door(*pieces) as (port, _):
        assert healthy(At(port=port)) is expected


def test_what_is_asked_names_the_path_and_carries_no_key() -> None:
    with door(b"HTTP/1.1 200 OK\r\n\r\n") as (port, asked):
        healthy(At(port=port))
    head, *headers = asked[0].decode("ascii").rstrip().split("\r\n")
    assert head == "GET /health HTTP/1.1"
    assert headers == [f"Host: 127.0.0.1:{port}", "Connection: close"]


def test_nobody_at_the_port_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not healthy(At(port=port))
    assert not healthy(At(port=0))
    assert not healthy(At(port=70_000))


def test_one_that_takes_the_question_and_says_nothing_is_told_from_one_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "PROBE_S", 0.2)
    ends = threading.Event()
    with door(keep_open=ends) as (port, _):
        hung = health.asked(At(port=port))
    gone = health.asked(At(port=port))
    assert (hung.status, hung.taken, hung.seconds >= 0.2) == (0, True, True)
    assert (gone.status, gone.taken) == (0, False)


def test_another_status_is_said() -> None:
    with door(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as (port, _):
        assert health.asked(At(port=port)).status == 503


def test_one_that_never_ends_its_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_S", 0.2)
    ends = threading.Event()
    with door(b"HTTP/1.1 200 OK\r\n\r\n", keep_open=ends) as (port, _):
        assert not healthy(At(port=port))
