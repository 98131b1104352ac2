# SPDX-License-Identifier: Apache-2.0
"""From when to when does a swap keep everybody else from boards?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import NAME
from tests.unit.fakes import HUB_MODEL, FakeLauncher, Scene
from tests.unit.swapping import FOURTH, THIRD, cards_scene, live, lone_scene, other, swapped

from ttctl.errors import EngineError, HeldError, LockedError
from ttctl.operations import swap
from ttctl.operations.swap_hold import Hold

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.plan import How
    from ttctl.model.protocols import Reporter


@pytest.fixture
def cards() -> Scene:
    return cards_scene()


def of_boards(scene: Scene) -> list[str]:
    """Return what was done with containers, and when the guard was held."""
    kinds = ("guard", "let go", "stop", "down", "create", "up")
    return [one.split()[0] for one in scene.taken() if one.startswith(kinds)]


class Fails(FakeLauncher):
    """Cannot make, or cannot start, the containers of one stack."""

    def __init__(self, scene: Scene, *, at: str) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._at = at

    def create(self, stack: str, folder: Path, *, recreate: bool, reporter: Reporter) -> None:
        if (stack, self._at) == ("third", "create"):
            raise EngineError("No container could be made.")
        super().create(stack, folder, recreate=recreate, reporter=reporter)

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        super().up(stack, folder, how=how, wait_s=wait_s, reporter=reporter)
        if (stack, self._at) == ("third", "up"):
            raise EngineError("The engine ended.")


def test_nobody_takes_boards_from_before_the_end_of_the_one_until_the_other_leases_them(
    cards: Scene,
) -> None:
    swapped(cards, NAME, THIRD)
    assert of_boards(cards) == ["guard", "stop", "down", "create", "let", "up"]
    assert not cards.leases.holding


def test_what_is_brought_back_gets_its_boards_before_anybody_else(cards: Scene) -> None:
    cards.launcher = Fails(cards, at="create")
    with pytest.raises(EngineError):
        swapped(cards, NAME, THIRD)
    assert of_boards(cards) == ["guard", "stop", "down", "create", "let", "up"]


def test_what_failed_later_is_stopped_when_nobody_else_can_take_its_boards(cards: Scene) -> None:
    cards.launcher = Fails(cards, at="up")
    with pytest.raises(EngineError):
        swapped(cards, NAME, THIRD)
    assert of_boards(cards) == [
        *("guard", "stop", "down", "create", "let", "up"),
        *("guard", "stop", "create", "let", "up"),
    ]
    assert not cards.leases.holding


def test_a_stack_without_boards_keeps_nobody_waiting(cards: Scene) -> None:
    cards.gateway.lists = (HUB_MODEL.model,)
    swapped(cards, NAME, FOURTH)
    assert "guard" not in of_boards(cards)


def test_boards_that_somebody_took_since_the_look_are_said_before_the_end_of_the_one() -> None:
    scene = cards_scene()
    del scene.engine.states["other-1"]
    large = replace(THIRD, boards=("1",))
    found = swap.prepare(scene.world, NAME, large)
    scene.engine.states["other-1"] = other(1)
    scene.taken()
    with pytest.raises(HeldError) as caught:
        swap.exchange(scene.world, found)
    assert "goes on serving" in caught.value.evidence
    assert of_boards(scene) == ["guard", "let"]
    assert not scene.leases.holding


def test_while_another_command_chooses_boards_the_one_goes_on_serving() -> None:
    scene = lone_scene()
    found = swap.prepare(scene.world, NAME, THIRD)
    live(scene).busy = True
    with pytest.raises(LockedError) as caught:
        swap.exchange(scene.world, found)
    assert "goes on serving" in caught.value.evidence
    assert "stop" not in of_boards(scene)


def test_locks_and_guard_are_let_go_whatever_happens(cards: Scene) -> None:
    with Hold(cards.world, ("one", "two"), timeout_s=1) as hold, suppress(EngineError):
        hold.guard()
        hold.guard()
        assert cards.leases.holding
        raise EngineError("The engine ended.")
    assert not cards.leases.holding
    assert not cards.store.holding
