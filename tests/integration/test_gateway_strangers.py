# SPDX-License-Identifier: Apache-2.0
"""Whoever has no key cannot hold the gateway of several engines by heads that do not end."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.integration.gateway_upstream.door import (
    AUTHORIZED,
    BODY_LIMIT,
    ROOT,
    Door,
    door_with,
)

from ttctl.adapters.templates import ShippedRecipes
from ttctl.rules.gateway_routes import Behind, several_values

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

SCALE = 8
"""One part in so many of the gateway as shipped: connections, and buffers."""
HEAD_S = 4
"""In which a head has to arrive."""
PATHS = ("/v1/completions",)
ENGINES = tuple(Behind(name=name, port=8000, paths=PATHS, models=(name,)) for name in ("a", "b"))


@pytest.fixture(scope="module")
def values() -> dict[str, object]:
    gateway = ShippedRecipes(ROOT).defaults("gateway")
    found = several_values(ENGINES, gateway=gateway, max_body_bytes=BODY_LIMIT)
    return found | {name: int(str(found[name])) // SCALE for name in ("connections", "buffers")}


@pytest.fixture(scope="module")
def door(
    values: dict[str, object],
    gateway_image: str,
    python_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("gateway")
    with door_with(gateway_image, python_image, folder, values) as found:
        yield found


@contextmanager
def half_heads(door: Door, count: int) -> Iterator[None]:
    """Begin so many requests without a key, and end none of their heads."""
    with ExitStack() as stack:
        for _ in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", door.port)))
            one.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX: ")
        yield


def seconds_of_an_answer(door: Door) -> float:
    started = time.monotonic()
    assert door.ask("/v1/models").status == 200
    return time.monotonic() - started


def test_half_heads_that_leave_a_connection_delay_nobody(
    door: Door, values: dict[str, object]
) -> None:
    # The container's own health check and our request take one each.
    with half_heads(door, int(str(values["connections"])) - 4):
        assert seconds_of_an_answer(door) < HEAD_S / 2


def test_half_heads_on_every_connection_delay_a_request_by_the_time_of_a_head(
    door: Door, values: dict[str, object]
) -> None:
    with half_heads(door, int(str(values["connections"])) + 40):
        assert seconds_of_an_answer(door) < HEAD_S * 1.5


def test_a_body_may_take_longer_than_a_head(door: Door) -> None:
    body = b'{"model": "nobody"}'
    head = (
        b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n%b\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", door.port), timeout=4 * HEAD_S) as one:
        one.sendall(head % (len(body), AUTHORIZED.encode()))
        time.sleep(HEAD_S + 1)
        one.sendall(body)
        assert one.recv(65536).startswith(b"HTTP/1.1 404 ")
