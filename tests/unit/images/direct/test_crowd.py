# SPDX-License-Identifier: Apache-2.0
"""Is nobody forgotten where many ask, some leave, and the server is told to stop?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.unit.images.direct.speaking import (
    LIMIT_S,
    PLACES,
    QUESTION,
    Answer,
    Client,
    House,
    Parrot,
    asking,
)

if TYPE_CHECKING:
    from collections.abc import Callable


async def until(holds: Callable[[], object]) -> None:
    async def wait() -> None:
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    await asyncio.wait_for(wait(), LIMIT_S)


def test_a_line_that_is_full_says_when_to_come_again(house: House) -> None:
    house.parrot.gate.clear()

    async def run() -> tuple[Answer, list[Answer]]:
        waiting = [
            asyncio.ensure_future(Client(house.door).send("POST", "/chat", QUESTION))
            for _ in range(PLACES + 1)
        ]
        line = house.service.line
        await until(lambda: line.waiting == PLACES and line.running)
        refused = await Client(house.door).send("POST", "/chat", QUESTION)
        house.parrot.gate.set()
        return refused, await asyncio.gather(*waiting)

    refused, answered = asyncio.run(run())
    assert (refused.status, refused.data["error"]["code"]) == (503, "line_full")
    assert int(refused.headers["retry-after"]) >= 1
    assert {one.status for one in answered} == {200}


def test_of_fifty_clients_each_that_stays_is_answered_and_nothing_is_left_behind() -> None:
    house = House(Parrot(text="Hello there. " * 3, context=128))

    async def one(number: int) -> Answer:
        while True:
            leave = 3 if number % 2 else None
            body = {**QUESTION, "stream": True}
            found = await Client(house.door).send("POST", "/chat", body, leave_after=leave)
            if found.status != 503:
                return found
            await asyncio.sleep(0.002)

    async def run() -> list[Answer]:
        return await asyncio.gather(*map(one, range(50)))

    answers = asyncio.run(run())
    assert {found.events[-1][0] for found in answers[::2]} == {"end"}
    assert {"".join(d["text"] for _, d in found.events[:-1]) for found in answers[::2]} == {
        "Hello there. " * 3
    }
    house.close()
    assert (house.service.line.waiting, house.service.line.running) == (0, 0)


def test_the_end_of_the_server_ends_the_work(house: House) -> None:
    sent: list[str] = []

    async def run() -> None:
        events = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, str]:
            return {"type": next(events)}

        async def send(message: dict[str, str]) -> None:
            sent.append(message["type"])

        await house.door({"type": "lifespan"}, receive, send)

    asyncio.run(run())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    house.thread.join(LIMIT_S)
    assert not house.thread.is_alive()


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_the_line_is_never_computed(house: House, *, stream: bool) -> None:
    house.parrot.gate.clear()
    line = house.service.line

    async def run() -> Answer:
        first = asyncio.ensure_future(Client(house.door).send("POST", "/chat", QUESTION))
        await until(lambda: line.running)
        leaving = Client(house.door)
        body = {**QUESTION, "stream": stream}
        second = asyncio.ensure_future(leaving.send("POST", "/chat", body))
        await until(lambda: line.waiting)
        leaving.gone.set()
        assert (await second).status == 0
        assert line.waiting == 0
        house.parrot.gate.set()
        return await first

    assert asyncio.run(run()).status == 200
    assert len(house.parrot.prefills) == 1
    metrics = asking(house.door, "GET", "/metrics").body.decode().splitlines()
    assert 'ttctl_direct_answers_total{outcome="cancelled"} 1' in metrics


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_outlasts_a_stop_ends_with_an_error(*, stream: bool) -> None:
    house = House(Parrot(pauses_at=3))

    async def run() -> Answer:
        body = {**QUESTION, "stream": stream}
        asked = asyncio.ensure_future(Client(house.door).send("POST", "/chat", body))
        await until(lambda: house.parrot.steps == 3)
        house.service.stop()
        house.service.line.interrupt()
        house.parrot.gate.set()
        return await asked

    found = asyncio.run(run())
    house.close()
    if stream:
        assert [name for name, _ in found.events] == ["text"] * (len(found.events) - 1) + ["error"]
        assert found.events[-1][1]["error"]["code"] == "stopping"
    else:
        assert (found.status, found.data["error"]["code"]) == (503, "stopping")
