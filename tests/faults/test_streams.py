# SPDX-License-Identifier: Apache-2.0
"""A stream whose engine dies is seen to be cut, one that nobody reads ends, none slows another."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from tests.faults.busy import (
    HEADERS,
    PATH,
    PATIENCE_S,
    body_of,
    busy_door,
    connect,
    connections_now,
    events_of,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.conftest import Figure, Rounds
    from tests.integration.gateway_upstream.door import Door

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

LONG = 100_000
"""Pieces of a stream that does not end by itself."""
PROMPTS = (400_000, 1_000_000, 4_000_000)


@pytest.fixture(scope="module")
def shared(
    gateway_image: str, python_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    with busy_door(gateway_image, python_image, tmp_path_factory.mktemp("streams")) as door:
        yield door


@pytest.fixture
def door(shared: Door) -> Door:
    """Give the gateway with its engine there, ready, and with nothing remembered."""
    if shared.upstream is None:
        shared.start_upstream()
    shared.wait_for(200, within_s=PATIENCE_S)
    shared.side("forget")
    return shared


def begin(door: Door, stack: ExitStack, body: bytes) -> http.client.HTTPResponse:
    connection = stack.enter_context(connect(door))
    connection.request("POST", PATH, body, HEADERS)
    response = connection.getresponse()
    assert response.status == 200
    return response


def piece_of(response: http.client.HTTPResponse) -> str:
    """Read one event, and the empty line behind it."""
    event, empty = response.readline(), response.readline()
    assert empty == b"\n", (event, empty)
    return event.decode().strip()


def test_a_stream_whose_engine_is_killed_is_cut_and_the_next_request_is_told_to_come_back(
    door: Door,
) -> None:
    with ExitStack() as stack:
        responses = [
            begin(door, stack, body_of("stream", number, pieces=LONG, pause_s=0.01))
            for number in range(5)
        ]
        for number, response in enumerate(responses):
            assert piece_of(response) == events_of(number, 1)[0]
        assert door.upstream is not None
        door.upstream.get_wrapped_container().kill("SIGKILL")
        for response in responses:
            # What had come is kept; an end that looks like a whole answer would be a lie.
            with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                response.read()
    # Until its check has failed it may be a 502: never silence, and never a hang.
    answer = door.ask(PATH, body_of("whole", 9))
    assert answer.status in {502, 503}
    assert answer.error["type"] == "server_error"
    door.wait_for(503, within_s=PATIENCE_S)
    answer = door.ask(PATH, body_of("whole", 9))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.error["code"] == "engine_not_ready"
    door.stop_upstream()
    door.start_upstream()
    door.wait_for(200, within_s=PATIENCE_S)
    assert door.ask(PATH, body_of("whole", 9)).status == 200


@pytest.mark.parametrize("how", ["cut", "reset"])
def test_a_stream_that_the_engine_breaks_off_is_cut_and_the_next_one_is_whole(
    door: Door, how: str
) -> None:
    with ExitStack() as stack:
        response = begin(door, stack, body_of(how, 1, pieces=10, pause_s=0.01))
        with pytest.raises((http.client.IncompleteRead, ConnectionError)) as cut:
            response.read()
        if isinstance(cut.value, http.client.IncompleteRead):
            lines = [line for line in cut.value.partial.decode().splitlines() if line]
            assert lines == events_of(1, 10)[: len(lines)]
        response = begin(door, stack, body_of("stream", 2))
        lines = [line for line in response.read().decode().splitlines() if line]
        assert lines == events_of(2, 5)
    # A prompt is not computed twice.
    assert door.side("answered") == {"1": 1, "2": 1}


def test_streams_whose_clients_leave_are_ended_in_the_engine(door: Door, figure: Figure) -> None:
    with ExitStack() as stack:
        for number in range(50):
            body = body_of("stream", number, pieces=LONG, pause_s=0.02)
            piece_of(begin(door, stack, body))
        assert door.side("running") == 50
        gone = time.monotonic()
    until(lambda: door.side("running") == 0, "the engine stops working for nobody")
    left = door.side("left")
    assert set(left) == {str(number) for number in range(50)}
    until(lambda: connections_now(door) == (0, 0), "the gateway lets all connections go")
    assert door.ask(PATH, body_of("whole", 99)).status == 200
    # One clock: a container has its host's.
    figure("R22", "from a client's end to the engine's, longest", _ms(max(left.values()), gone))


def _ms(end: float, begun: float) -> str:
    return f"{max(0.0, end - begun) * 1000:.0f} ms"


class Reader(threading.Thread):
    """Read one stream to its end and note when each piece came."""

    def __init__(self, door: Door, number: int, pieces: int) -> None:
        super().__init__()
        self.came: list[float] = []
        self.lines: list[str] = []
        self.whole = events_of(number, pieces)
        self._door = door
        self._body = body_of("stream", number, pieces=pieces, pause_s=0.01)

    def run(self) -> None:
        with ExitStack() as stack:
            response = begin(self._door, stack, self._body)
            for line in response:
                if line != b"\n":
                    self.lines.append(line.decode().strip())
                    self.came.append(time.monotonic())

    def gaps(self) -> list[float]:
        return [after - before for before, after in zip(self.came, self.came[1:], strict=False)]


def small_streams(door: Door, first: int, pieces: int) -> list[Reader]:
    """Read some small streams at the same time."""
    readers = [Reader(door, first + number, pieces) for number in range(4)]
    for reader in readers:
        reader.start()
    return readers


def ended(readers: list[Reader]) -> float:
    """Wait for the streams, which have to be whole; return the gap that 99 of 100 are within."""
    for reader in readers:
        reader.join(PATIENCE_S)
        assert reader.lines == reader.whole
    gaps = sorted(gap for reader in readers for gap in reader.gaps())
    return gaps[len(gaps) * 99 // 100]


def test_huge_prompts_hold_up_no_small_stream(door: Door, rounds: Rounds, figure: Figure) -> None:
    pieces = rounds(fast=200, whole=1000)
    alone = ended(small_streams(door, 0, pieces))
    beside = small_streams(door, 100, pieces)
    sent = 0
    while any(reader.is_alive() for reader in beside):
        for size in PROMPTS:
            body = body_of("whole", 1000 + sent, pad=size)
            answer = door.ask(PATH, body)
            assert answer.status == 200
            assert json.loads(answer.body)["sha256"] == hashlib.sha256(body).hexdigest()
            sent += 1
    assert sent >= len(PROMPTS)
    ratio = ended(beside) / alone
    figure("R22", f"gap of small streams beside {sent} prompts of 0.4 to 4 MB", f"x {ratio:.1f}")
