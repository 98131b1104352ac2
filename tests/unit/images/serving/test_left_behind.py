# SPDX-License-Identifier: Apache-2.0
"""Is nothing kept of a request that is over, though nobody collects garbage?"""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.images.sd.serving import until
from tests.unit.images.serving.test_edges import MOST_BYTES, head, serving

from ttctl_serving.bodies import RETRY_S, WITHOUT_ROOM, Bodies
from ttctl_serving.door import Door
from ttctl_serving.line import ClosedError, Line
from ttctl_serving.metrics import Metrics
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from ttctl_serving.exchange import Exchange
    from ttctl_serving.ticket import Ticket

PIECE = {"type": "http.request", "body": b'"' + b"x" * 100, "more_body": True}
WHOLE = {"type": "http.request", "body": b"{}", "more_body": False}
GONE = {"type": "http.disconnect"}
LIMIT_S = 20


@contextmanager
def uncollected() -> Iterator[None]:
    """Let only what nothing refers to go, as where torch's heap makes a collection rare."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def nothing() -> None:
    return


def door_of(handler: Callable[[Exchange], Any], bodies: Bodies | None = None) -> Door:
    return Door(
        {"/": ("POST", handler)},
        key=b"", metrics=Metrics("test"), begin=lambda: None, end=nothing, bodies=bodies,
    )  # fmt: skip


async def asked(
    door: Door, messages: list[dict[str, Any]], *headers: tuple[bytes, bytes]
) -> tuple[int, dict[str, str], Any]:
    """Send messages, then nothing; return status, headers and JSON of the answer."""
    coming, sent = iter(messages), []

    async def receive() -> dict[str, Any]:
        if (message := next(coming, None)) is not None:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers)}
    await asyncio.wait_for(door(scope, receive, send), LIMIT_S)
    if not sent:
        return 0, {}, None
    pairs = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], pairs, json.loads(sent[1]["body"])


async def fails() -> None:
    await asyncio.sleep(0)
    raise RefusedError("No.", status=418)


async def lasts() -> None:
    await asyncio.sleep(LIMIT_S)


@pytest.mark.parametrize(
    ("messages", "answer", "status"),
    [
        pytest.param([PIECE, GONE], fails, 0, id="left within the body"),
        pytest.param([PIECE] * 11, fails, 413, id="too long"),
        pytest.param([PIECE], fails, 408, id="too slow"),
        pytest.param([{**PIECE, "more_body": False}], fails, 400, id="no JSON"),
        pytest.param([{**WHOLE, "body": b"\xff"}], fails, 400, id="no text"),
        pytest.param([WHOLE], fails, 418, id="refused while it is answered"),
        pytest.param([WHOLE, GONE], lasts, 0, id="left while it is answered"),
        pytest.param([{}], fails, 500, id="no message at all"),
    ],
)
def test_of_a_request_that_failed_nothing_is_kept(
    messages: list[dict[str, Any]],
    answer: Callable[[], Coroutine[Any, Any, None]],
    status: int,
) -> None:
    kept: list[weakref.ref[Exchange]] = []

    async def handler(exchange: Exchange) -> None:
        kept.append(weakref.ref(exchange))
        await exchange.json(most_bytes=MOST_BYTES, within_s=0.05)
        await exchange.while_there(answer())

    async def scene() -> None:
        door = door_of(handler)
        found, _, _ = await asked(door, messages)
        assert found == status
        # What was cancelled ends in the loop's next turns.
        for _ in range(3):
            await asyncio.sleep(0)
        assert kept[0]() is None

    with uncollected():
        asyncio.run(scene())


class Held:
    """Something big that a piece of work holds."""


def refusing(held: Held) -> Callable[[Ticket], None]:
    def work(_ticket: Ticket) -> None:
        assert held
        raise ClosedError

    return work


def refusing_who_left(held: Held) -> Callable[[Ticket], None]:
    def work(ticket: Ticket) -> None:
        assert held
        assert ticket.left.wait(LIMIT_S)
        raise ClosedError

    return work


async def come(holds: Callable[[], object]) -> None:
    async def wait() -> None:
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    await asyncio.wait_for(wait(), LIMIT_S)


async def hear(line: Line, ticket: Ticket) -> None:
    with pytest.raises(ClosedError):
        await anext(ticket.events())
    line.leave(ticket)


async def leave(line: Line, ticket: Ticket) -> None:
    await come(lambda: line.running)
    line.leave(ticket)


@pytest.mark.parametrize(
    ("work_of", "ends"),
    [
        pytest.param(refusing, hear, id="heard"),
        pytest.param(refusing_who_left, leave, id="left"),
    ],
)
def test_of_work_that_ended_in_an_error_nothing_is_kept(
    work_of: Callable[[Held], Callable[[Ticket], None]],
    ends: Callable[[Line, Ticket], Coroutine[Any, Any, None]],
) -> None:
    async def scene() -> None:
        line = Line(room=1)
        line.start(lambda: None)
        held = Held()
        gone = weakref.ref(held)
        ticket = line.enter(work_of(held))
        del held
        await ends(line, ticket)
        del ticket
        await come(lambda: gone() is None)
        line.close()
        assert await line.join(LIMIT_S)

    with uncollected():
        asyncio.run(scene())


def test_a_wave_of_clients_that_leave_midway_leaves_the_memory_as_it_was() -> None:
    length, clients = 40_000, 40
    line = 'test_requests_total{path="/read",status="499"} '

    def wave(number: int) -> int:
        held = [served.connect() for _ in range(clients)]
        for one in held:
            one.sendall(head(length) + b" " * (length - 8))
        for one in held:
            one.close()
        until(lambda: f"{line}{number * clients}" in served.metrics.text(), "all are noted")
        return tracemalloc.get_traced_memory()[0]

    with serving(most_bytes=length, within_s=LIMIT_S) as served, uncollected():
        tracemalloc.start()
        try:
            first, *_, last = [wave(number) for number in range(1, 5)]
        finally:
            tracemalloc.stop()
    assert last - first < clients * length / 2


def test_all_bodies_together_have_an_end_and_a_short_one_always_goes_through() -> None:
    long = {**PIECE, "body": b" " * (WITHOUT_ROOM + 600)}
    bodies = Bodies(most_bytes=1000)

    async def handler(exchange: Exchange) -> None:
        await exchange.answer_json(await exchange.json(most_bytes=1 << 20, within_s=LIMIT_S))

    async def scene() -> None:
        door = door_of(handler, bodies)
        first = asyncio.ensure_future(asked(door, [long]))
        while bodies.held_bytes != 600:  # noqa: ASYNC110
            await asyncio.sleep(0)
        status, headers, answer = await asked(door, [long])
        assert (status, headers["retry-after"]) == (503, str(RETRY_S))
        assert (answer["error"]["type"], answer["error"]["code"]) == (
            "server_error", "too_many_bodies",
        )  # fmt: skip
        assert (await asked(door, [WHOLE]))[0] == 200
        first.cancel()
        await asyncio.wait({first})
        assert bodies.held_bytes == 0
        assert (await asked(door, [long, WHOLE]))[0] == 200
        assert bodies.held_bytes == 0

    asyncio.run(scene())


def test_a_length_that_is_too_much_is_refused_before_anything_is_read() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.json(most_bytes=MOST_BYTES)

    said = (b"content-length", str(MOST_BYTES + 1).encode())
    status, _, answer = asyncio.run(asked(door_of(handler), [], said))
    assert (status, answer["error"]["code"]) == (413, "request_too_large")
    assert f"{MOST_BYTES} bytes" in answer["error"]["message"]
