# SPDX-License-Identifier: Apache-2.0
"""Does an answer end where it must, and is nothing computed for who has left?"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.images.direct.speaking import LIMIT_S, Letters, Parrot, at_work

from ttctl_direct.answer import Spoken, speak
from ttctl_direct.asked import Asked, BadAskedError, Sampling
from ttctl_direct.prompts import SHORT, Prompts
from ttctl_direct.service import Answered, Service
from ttctl_serving.line import ClosedError, FullError
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ttctl_serving.ticket import Ticket

QUESTION = Asked(messages=(("user", "Hi"),), sampling=Sampling(temperature=0))


def spoken(asked: Asked, parrot: Parrot) -> tuple[str, Spoken]:
    pieces: list[str] = []
    ticks = iter(range(100))
    found = speak(
        asked,
        asyncio.run(Prompts(Letters(), parrot).tokens_of(asked)),
        parrot,
        Letters(),
        say=pieces.append,
        left=lambda: False,
        now=lambda: next(ticks),
    )
    return "".join(pieces), found


def test_an_answer_ends_with_the_models_own_end() -> None:
    text, found = spoken(QUESTION, Parrot(text="Yes."))
    assert (text, found.finish, found.tokens, found.prompt_tokens) == ("Yes.", "stop", 5, 2)
    assert (found.first_s, found.seconds) == (1, 2)
    assert found.tokens_per_second == 4


def test_an_answer_ends_where_a_limit_is() -> None:
    short = Asked(messages=QUESTION.messages, max_tokens=3)
    text, found = spoken(short, Parrot(text="Yes."))
    assert (text, found.finish, found.tokens) == ("Yes", "length", 3)
    text, found = spoken(QUESTION, Parrot(text="x" * 99, context=10))
    assert (text, found.finish) == ("x" * 8, "length")
    one = Asked(messages=QUESTION.messages, max_tokens=1)
    assert spoken(one, Parrot())[1].tokens_per_second is None


def test_an_answer_ends_before_a_stop_word() -> None:
    text, found = spoken(Asked(messages=QUESTION.messages, stop=("lo",)), Parrot())
    assert (text, found.finish) == ("Hel", "stop")


@pytest.mark.parametrize("limits", [{"longest_prompt": 1}, {"context": 2}])
def test_a_prompt_that_does_not_fit_is_never_computed(
    limits: dict[str, int],
) -> None:
    parrot = Parrot(**limits)
    with pytest.raises(BadAskedError, match="has 2 tokens; 1 fit here"):
        spoken(QUESTION, parrot)
    assert parrot.prefills == []


async def ending(ticket: Ticket) -> Answered:
    *_, last = [one async for one in ticket.events()]
    assert isinstance(last, Answered)
    return last


async def until(holds: Callable[[], object]) -> None:
    async def wait() -> None:
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    await asyncio.wait_for(wait(), LIMIT_S)


def play(
    scene: Callable[[Service, Parrot], Awaitable[None]], parrot: Parrot | None = None
) -> Parrot:
    """Play a scene before a model that waits before each step until its gate is opened."""
    model = parrot or Parrot()
    model.gate.clear()
    service = Service(model, Letters(), model="acme/small", places=2)
    thread = at_work(service)

    async def run() -> None:
        await scene(service, model)

    try:
        asyncio.run(run())
    finally:
        model.gate.set()
        service.stop()
        thread.join(LIMIT_S)
    assert not thread.is_alive()
    assert (service.line.waiting, service.line.running) == (0, 0)
    return model


def test_each_is_answered_in_its_turn_and_the_line_has_an_end() -> None:
    async def scene(service: Service, parrot: Parrot) -> None:
        tickets = [await service.enter(QUESTION) for _ in range(3)]
        with pytest.raises(FullError) as full:
            await service.enter(QUESTION)
        assert full.value.retry_after_s >= 1
        parrot.gate.set()
        found = [await ending(one) for one in tickets]
        assert found[0].queued_s <= found[1].queued_s <= found[2].queued_s
        assert (await ending(await service.enter(QUESTION))).spoken.finish == "stop"

    assert len(play(scene).prefills) == 4


def test_an_answer_that_is_wanted_as_a_whole_is_handed_over_once() -> None:
    async def scene(service: Service, parrot: Parrot) -> None:
        parrot.gate.set()
        [whole] = [one async for one in (await service.enter(QUESTION)).events()]
        assert (whole.text, whole.spoken.finish) == ("Hello there.", "stop")
        streamed = replace(QUESTION, stream=True)
        *pieces, last = [one async for one in (await service.enter(streamed)).events()]
        assert ("".join(pieces), len(pieces), last.text) == ("Hello there.", 12, "")

    play(scene)


def test_who_leaves_the_line_gives_a_place_back_and_is_never_computed() -> None:
    async def scene(service: Service, parrot: Parrot) -> None:
        first, leaving, third = [await service.enter(QUESTION) for _ in range(3)]
        await until(lambda: service.line.running)
        service.line.leave(leaving)
        last = await service.enter(QUESTION)
        parrot.gate.set()
        for one in (first, third, last):
            await ending(one)

    assert len(play(scene).prefills) == 3


def test_who_leaves_while_it_is_computed_costs_one_step_more() -> None:
    async def scene(service: Service, parrot: Parrot) -> None:
        ticket = await service.enter(QUESTION)
        await until(lambda: service.line.running)
        service.line.leave(ticket)
        parrot.gate.set()
        await until(lambda: not service.line.running)

    assert play(scene).steps <= 1


def test_a_stop_refuses_who_waits_and_what_is_computed_may_end() -> None:
    async def scene(service: Service, parrot: Parrot) -> None:
        first = await service.enter(QUESTION)
        await until(lambda: service.line.running)
        second = await service.enter(QUESTION)
        service.stop()
        with pytest.raises(ClosedError):
            await ending(second)
        with pytest.raises(ClosedError):
            await service.enter(QUESTION)
        assert service.state == "stopping"
        parrot.gate.set()
        assert (await ending(first)).spoken.finish == "stop"

    play(scene)


def test_what_takes_too_long_after_a_stop_ends_with_its_step_and_is_told() -> None:
    async def scene(service: Service, parrot: Parrot) -> None:
        ticket = await service.enter(QUESTION)
        await until(lambda: service.line.running)
        service.stop()
        service.line.interrupt()
        parrot.gate.set()
        with pytest.raises(ClosedError):
            await ending(ticket)

    assert play(scene).steps <= 1


@pytest.mark.parametrize("survives", [True, False])
def test_a_card_that_fails_is_not_asked_again_and_the_prompt_is_not_told(
    capsys: pytest.CaptureFixture[str], *, survives: bool
) -> None:
    async def scene(service: Service, parrot: Parrot) -> None:
        first, second = await service.enter(QUESTION), await service.enter(QUESTION)
        parrot.gate.set()
        with pytest.raises(RefusedError, match="see the service's log"):
            await ending(first)
        assert service.state == ("ok" if survives else "failed")
        if survives:
            assert (await ending(second)).spoken.finish == "stop"
            return
        # Neither who waited already nor who comes.
        with pytest.raises(RefusedError):
            await ending(second)
        with pytest.raises(RefusedError):
            await service.enter(QUESTION)

    parrot = play(scene, Parrot(fails_at=1, survives=survives))
    assert len(parrot.prefills) == (2 if survives else 1)
    said = capsys.readouterr().err
    assert '"error": "RuntimeError"' in said
    assert "secret" not in said


class Slow(Letters):
    """Takes its time for what is long."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.begun: list[int] = []

    def tokens_of(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        tokens = super().tokens_of(messages)
        if len(tokens) > SHORT:
            self.begun.append(threading.get_ident())
            assert self.may_end.wait(LIMIT_S)
        return tokens


def test_a_long_prompt_holds_up_neither_the_model_nor_a_short_one() -> None:
    words, parrot = Slow(), Parrot(context=SHORT + 1000, longest_prompt=SHORT + 100)
    service = Service(parrot, words, model="acme/small", places=2)
    thread = at_work(service)
    long = replace(QUESTION, messages=(("user", "x" * (SHORT + 1)),))

    async def run() -> None:
        first, leaving = (asyncio.ensure_future(service.enter(long)) for _ in range(2))
        await until(lambda: words.begun)
        assert (await ending(await service.enter(QUESTION))).spoken.finish == "stop"
        leaving.cancel()
        await asyncio.wait({leaving})
        first.cancel()
        await asyncio.wait({first})
        # Who left gave the places back, and one is turned into tokens at a time all the same.
        again = asyncio.ensure_future(service.enter(long))
        await asyncio.sleep(0.05)
        assert len(words.begun) == 1
        assert words.begun[0] != thread.ident
        words.may_end.set()
        assert (await ending(await again)).spoken.prompt_tokens == SHORT + 1

    try:
        asyncio.run(run())
    finally:
        words.may_end.set()
        service.stop()
        thread.join(LIMIT_S)


def test_those_that_are_made_ready_are_as_many_as_have_places() -> None:
    words, parrot = Slow(), Parrot(context=SHORT + 1000, longest_prompt=SHORT + 100)
    service = Service(parrot, words, model="acme/small", places=2)
    long = replace(QUESTION, messages=(("user", "x" * (SHORT + 1)),))

    async def run() -> None:
        coming = [asyncio.ensure_future(service.enter(long)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(FullError):
            await service.enter(QUESTION)
        words.may_end.set()
        await asyncio.gather(*coming)
        assert service.line.waiting == 3

    asyncio.run(run())


def test_more_characters_than_tokens_can_hold_are_refused_unread() -> None:
    words, parrot = Slow(), Parrot(context=10_000, longest_prompt=5000)
    most = 5000 * Letters.longest_token
    asked = replace(QUESTION, messages=(("user", "x" * most), ("user", "x")))
    with pytest.raises(BadAskedError, match=f"has {most + 1} characters; {most} at most fit"):
        asyncio.run(Prompts(words, parrot).tokens_of(asked))
    assert words.begun == []
