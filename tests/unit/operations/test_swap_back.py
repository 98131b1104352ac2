# SPDX-License-Identifier: Apache-2.0
"""Is one of the two stacks up where a swap fails or is ended, and is it said which?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, NAME
from tests.unit.fakes import FakeLauncher, Scene
from tests.unit.swapping import (
    SECOND,
    THIRD,
    cards_scene,
    live,
    lone_scene,
    running,
    small_scene,
    swapped,
)

from ttctl.errors import (
    EngineError,
    LockedError,
)
from ttctl.model.plan import How
from ttctl.operations import swap

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.protocols import Reporter


class Fails(FakeLauncher):
    """Cannot start one stack."""

    def __init__(self, scene: Scene, refused: str, raises: BaseException) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._refused, self._raises = refused, raises

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        super().up(stack, folder, how=how, wait_s=wait_s, reporter=reporter)
        if stack == self._refused:
            raise self._raises


def broken() -> EngineError:
    return EngineError(
        "The engine ended.", evidence="log line", next_step="ttctl logs third --tail 100"
    )


@pytest.fixture
def small() -> Scene:
    return small_scene()


@pytest.fixture
def cards() -> Scene:
    return cards_scene()


@pytest.fixture
def lone() -> Scene:
    return lone_scene()


def test_where_the_other_does_not_come_up_the_one_is_brought_back(cards: Scene) -> None:
    lock = cards.store.locks[NAME]
    cards.launcher = Fails(cards, "third", broken())
    with pytest.raises(EngineError, match="The engine ended") as caught:
        swapped(cards, NAME, THIRD)
    assert caught.value.evidence == f"log line\n{NAME!r} is up again, as it is locked."
    assert caught.value.next_step == "ttctl logs third --tail 100"
    assert caught.value.exit_code == EngineError.exit_code
    assert cards.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)
    assert cards.engine.states[f"ttctl-{NAME}-vllm-1"].state == "running"
    assert cards.store.locks[NAME] == lock
    # It has let go of its boards, and is there for its log.
    assert cards.engine.states["ttctl-third-vllm-1"].state == "exited"


class MakesOnly(FakeLauncher):
    """Makes the containers of one stack and starts none."""

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        if stack == "third":
            raise EngineError(
                "It refuses a device.",
                next_step="ttctl up llama --force-recreate",
            )
        super().up(stack, folder, how=how, wait_s=wait_s, reporter=reporter)


def test_containers_that_were_made_and_never_started_let_go_of_the_boards(cards: Scene) -> None:
    cards.launcher = MakesOnly(cards.calls, cards.engine, cards.store)
    with pytest.raises(EngineError) as caught:
        swapped(cards, NAME, THIRD)
    assert caught.value.evidence == f"{NAME!r} is up again, as it is locked."
    assert caught.value.next_step == f"ttctl swap {NAME} llama --force-recreate"
    assert not cards.engine.containers("third")
    assert NAME in running(cards)


def test_boards_that_the_other_left_dirty_are_said_and_not_reset(cards: Scene) -> None:
    live(cards).killed = "third"
    cards.launcher = Fails(cards, "third", broken())
    with pytest.raises(EngineError) as caught:
        swapped(cards, NAME, THIRD)
    assert "Boards were left that need a reset: container ttctl-third-vllm-1 was killed" in (
        caught.value.evidence
    )
    assert f"{NAME!r} could not be brought back: The boards for" in caught.value.evidence
    assert "--reset" in caught.value.next_step
    assert not [one for one in cards.taken() if one.startswith("reset")]


def test_with_consent_they_are_reset_for_the_one_that_is_brought_back(lone: Scene) -> None:
    live(lone).killed = "third"
    lone.launcher = Fails(lone, "third", broken())
    with pytest.raises(EngineError) as caught:
        swapped(lone, NAME, THIRD, how=How(reset=True))
    assert "Boards were left that need a reset: container ttctl-third" in caught.value.evidence
    assert caught.value.evidence.endswith(f"{NAME!r} is up again, as it is locked.")
    assert "reset /dev/tenstorrent/0" in lone.taken()


def test_on_the_processor_the_one_is_brought_back_too(small: Scene) -> None:
    small.launcher = Fails(small, "second", broken())
    with pytest.raises(EngineError) as caught:
        swapped(small, "llama", SECOND)
    assert "'llama' is up again" in caught.value.evidence
    assert "llama" in running(small)
    assert "second" not in running(small)


class StopsNothing(FakeLauncher):
    """Cannot stop a stack."""

    def stop(
        self, stack: str, *, timeout_s: int | None, limit_s: float
    ) -> tuple[int, tuple[str, ...]]:
        before = self._engine.containers(stack)
        super().stop(stack, timeout_s=timeout_s, limit_s=limit_s)
        self._engine.states.update((one.name, one) for one in before)
        return 1, ("it does not stop",)


def test_a_stack_that_could_not_be_stopped_is_brought_back_and_the_other_not_started(
    cards: Scene,
) -> None:
    cards.launcher = StopsNothing(cards.calls, cards.engine, cards.store)
    with pytest.raises(EngineError, match="could not be stopped") as caught:
        swapped(cards, NAME, THIRD)
    assert f"{NAME!r} is up again" in caught.value.evidence
    assert not cards.engine.containers("third")


def test_a_stack_that_another_command_changes_is_left_alone(small: Scene) -> None:
    found = swap.prepare(small.world, "llama", SECOND)
    small.taken()
    small.store.busy = True
    with pytest.raises(LockedError) as caught:
        swap.exchange(small.world, found)
    assert caught.value.evidence == "Nothing was changed: 'llama' goes on serving."
    assert small.taken() == []


@pytest.mark.parametrize("ended", [KeyboardInterrupt(), SystemExit(143)], ids=["Ctrl+C", "TERM"])
def test_a_swap_that_is_ended_brings_the_one_back_and_says_so(
    small: Scene, ended: BaseException
) -> None:
    small.launcher = Fails(small, "second", ended)
    with pytest.raises(type(ended)):
        swapped(small, "llama", SECOND)
    assert "llama" in running(small)
    assert small.reporter.notes[-1] == "'llama' is up again, as it is locked."
