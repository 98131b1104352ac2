# SPDX-License-Identifier: Apache-2.0
"""Is the line before a model bounded, and does nobody wait in vain or hold a place for nobody?"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from ttctl_serving.line import ClosedError, FullError, Line
from ttctl_serving.ticket import Ticket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Held:
    """Work that ends when it may, and says which it was."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun: list[object] = []
        self.first = threading.Event()

    def work(self, name: object) -> Callable[[Ticket], None]:
        def run(ticket: Ticket) -> None:
            self.begun.append(name)
            self.first.set()
            assert self.may_end.wait(20)
            ticket.say(name)

        return run


class Wakes(asyncio.AbstractEventLoop):
    """A loop that is called from another thread, and has not come to it yet."""

    def __init__(self) -> None:
        self.called: list[Callable[[], object]] = []

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[[], object]
    ) -> None:
        self.called.append(callback)


def run(scene: Callable[[Line, Held], Awaitable[None]], *, room: int = 2) -> Held:
    held = Held()
    ended = threading.Event()

    async def play() -> None:
        line = Line(room=room)
        line.start(ended.set)
        await scene(line, held)
        held.may_end.set()
        line.close()
        assert await line.join(20)

    asyncio.run(play())
    assert ended.is_set()
    return held


async def all_of(ticket: Ticket) -> list[object]:
    return [event async for event in ticket.events()]


async def begun(held: Held) -> None:
    assert await asyncio.to_thread(held.first.wait, 20)


def test_one_after_the_other_is_computed_in_the_order_of_coming() -> None:
    async def scene(line: Line, held: Held) -> None:
        held.may_end.set()
        tickets = [line.enter(held.work(0))]
        await begun(held)
        tickets += [line.enter(held.work(name)) for name in (1, 2)]
        assert [await all_of(ticket) for ticket in tickets] == [[0], [1], [2]]

    assert run(scene).begun == [0, 1, 2]


def test_who_finds_no_room_is_told_when_to_come_back() -> None:
    async def scene(line: Line, held: Held) -> None:
        line.enter(held.work("a"))
        await begun(held)
        line.enter(held.work("b"))
        line.enter(held.work("c"))
        assert (line.running, line.waiting) == (1, 2)
        with pytest.raises(FullError) as caught:
            line.enter(held.work("d"))
        assert caught.value.retry_after_s >= 1

    assert "d" not in run(scene).begun


def test_who_leaves_the_line_gives_the_place_back_at_once() -> None:
    async def scene(line: Line, held: Held) -> None:
        line.enter(held.work("a"))
        await begun(held)
        tickets = [line.enter(held.work(name)) for name in ("b", "c")]
        line.leave(tickets[0])
        assert line.waiting == 1
        assert await all_of(line.enter(lambda ticket: ticket.say("e"))) == ["e"]

    async def letting(line: Line, held: Held) -> None:
        asyncio.get_running_loop().call_later(0.05, held.may_end.set)
        await scene(line, held)

    assert run(letting).begun == ["a", "c"]


def test_who_leaves_while_it_is_computed_is_known_to_the_work() -> None:
    async def scene(line: Line, held: Held) -> None:
        ticket = line.enter(held.work("a"))
        await begun(held)
        line.leave(ticket)
        assert ticket.left.is_set()

    run(scene)


def test_what_the_work_raises_is_raised_where_it_is_waited_for_and_the_line_goes_on() -> None:
    def fail(ticket: Ticket) -> None:
        ticket.say(1)
        raise ZeroDivisionError

    async def scene(line: Line, _held: Held) -> None:
        ticket = line.enter(fail)
        events = ticket.events()
        assert await anext(events) == 1
        with pytest.raises(ZeroDivisionError):
            await anext(events)
        assert await all_of(line.enter(lambda ticket: ticket.say(2))) == [2]

    run(scene)


def test_the_loop_is_woken_once_for_all_that_was_said_before_it_looked() -> None:
    async def scene(line: Line, _held: Held) -> None:
        def speak(ticket: Ticket) -> None:
            for word in "abc":
                ticket.say(word)

        wakes = Wakes()
        ticket = Ticket(speak, wakes)
        speak(ticket)
        assert len(wakes.called) == 1
        wakes.called.pop()()
        ticket.say("d")
        ticket.end()
        assert len(wakes.called) == 1
        wakes.called.pop()()
        assert await all_of(ticket) == ["a", "b", "c", "d"]
        assert await all_of(line.enter(speak)) == ["a", "b", "c"]

    run(scene)


def test_a_closed_line_refuses_who_waits_and_who_comes_and_ends_what_is_computed() -> None:
    async def scene(line: Line, held: Held) -> None:
        first = line.enter(held.work("a"))
        await begun(held)
        second = line.enter(held.work("b"))
        line.close()
        with pytest.raises(ClosedError):
            await all_of(second)
        with pytest.raises(ClosedError):
            line.enter(held.work("c"))
        held.may_end.set()
        assert await all_of(first) == ["a"]

    assert run(scene).begun == ["a"]


def test_all_of_it_is_computed_in_one_thread() -> None:
    names: set[str] = set()

    async def scene(line: Line, _held: Held) -> None:
        for _ in range(3):
            await all_of(line.enter(lambda _: names.add(threading.current_thread().name)))

    run(scene)
    assert names == {"model"}
