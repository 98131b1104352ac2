# SPDX-License-Identifier: Apache-2.0
"""Does a restart stop and start under one hold, and say what is so where the start fails?"""

from __future__ import annotations

import pytest
from tests.unit.cards import FIRST, NAME
from tests.unit.fakes import FakeLauncher, Scene
from tests.unit.operations.test_swap_hold import of_boards
from tests.unit.swapping import DIRT, cards_scene, live, lone_scene, running, small_scene

from ttctl.errors import DirtyError, EngineError, LockedError
from ttctl.model.plan import How
from ttctl.operations.restart import look, restart
from ttctl.operations.stop import stop


@pytest.fixture
def small() -> Scene:
    """The stack `llama` on the processor."""
    return small_scene()


@pytest.fixture
def cards() -> Scene:
    """A stack that has one of four boards; three others have the rest."""
    return cards_scene()


class Ends(FakeLauncher):
    """Starts nothing: somebody ends the command."""

    def up(self, *_: object, **__: object) -> None:
        raise KeyboardInterrupt


def test_the_same_containers_stop_and_run_again(small: Scene) -> None:
    before = {one.container_id for one in small.engine.containers("llama")}
    done = restart(small.world, "llama", timeout_s=5)
    assert [one.subject for one in done.stopped.changes] == ["gateway", "vllm"]
    assert (done.up.changed, done.up.answers) == (True, True)
    assert small.taken() == ["stop llama in 5 s each within 125 s", "up"]
    assert {one.container_id for one in small.engine.containers("llama")} == before
    assert not small.store.holding


def test_what_is_stopped_already_is_only_started(small: Scene) -> None:
    stop(small.world, "llama")
    small.taken()
    done = restart(small.world, "llama")
    assert (done.stopped.changes, small.taken()) == ((), ["up"])


def test_a_look_shows_the_stop_before_the_start_and_changes_nothing(small: Scene) -> None:
    shown = [(one.verb, one.subject) for one in look(small.world, "llama").changes]
    assert shown == [("stop", "stack llama"), ("start", "vllm"), ("start", "gateway")]
    stop(small.world, "llama")
    small.taken()
    assert [one.verb for one in look(small.world, "llama").changes] == ["start", "start"]
    assert small.taken() == []


def test_what_would_not_start_again_is_not_stopped(small: Scene) -> None:
    small.engine.images.clear()
    with pytest.raises(EngineError, match="cannot be started from what is here"):
        restart(small.world, "llama")
    assert (small.taken(), running(small)) == ([], ["llama"])


def test_a_start_that_fails_says_that_the_stack_is_down_and_what_tries_it_again(
    small: Scene,
) -> None:
    small.launcher.fails = EngineError("It did not come up.", next_step="ttctl logs llama")
    with pytest.raises(EngineError) as caught:
        restart(small.world, "llama")
    assert "'llama' was stopped for this and is not up again" in caught.value.evidence
    assert "`ttctl start llama`" in caught.value.evidence
    assert caught.value.next_step


def test_a_restart_that_is_ended_in_the_middle_says_what_brings_the_stack_back(
    small: Scene,
) -> None:
    small.launcher = Ends(small.calls, small.engine, small.store)
    with pytest.raises(KeyboardInterrupt):
        restart(small.world, "llama")
    assert "llama was stopped: `ttctl start llama` brings it back" in small.reporter.notes


def test_nobody_takes_the_boards_from_before_the_stop_until_they_are_leased(cards: Scene) -> None:
    restart(cards.world, NAME)
    assert of_boards(cards) == ["guard", "stop", "create", "let", "up"]
    assert cards.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)
    assert not cards.leases.holding


def test_while_another_command_chooses_boards_the_stack_goes_on_serving() -> None:
    scene = lone_scene()
    live(scene).busy = True
    with pytest.raises(LockedError):
        restart(scene.world, NAME)
    assert running(scene) == [NAME]


def test_boards_that_need_a_reset_are_refused_before_the_stop() -> None:
    scene = lone_scene()
    scene.leases.remember([DIRT])
    with pytest.raises(DirtyError) as caught:
        restart(scene.world, NAME)
    assert caught.value.next_step.startswith(f"ttctl restart {NAME} --reset")
    assert running(scene) == [NAME]
    restart(scene.world, NAME, how=How(reset=True))
    assert running(scene) == [NAME]


def test_an_engine_that_had_to_be_killed_for_it_is_not_started_on_its_dirty_boards() -> None:
    scene = lone_scene()
    live(scene).killed = NAME
    with pytest.raises(DirtyError) as caught:
        restart(scene.world, NAME, timeout_s=0)
    assert caught.value.next_step.startswith(f"ttctl start {NAME} --reset")
    assert "is not up again" in caught.value.evidence
