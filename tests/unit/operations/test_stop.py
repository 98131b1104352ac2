# SPDX-License-Identifier: Apache-2.0
"""Does a stop end a whole stack, keep all of it, and is it told as stopped and not as failed?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cards import FIRST, LLAMA, NAME
from tests.unit.fakes import Scene, container
from tests.unit.swapping import (
    SECOND,
    SMALL,
    THIRD,
    cards_scene,
    live,
    lone_scene,
    running,
    small_scene,
)

from ttctl.errors import EngineError, HeldError, LockedError, UsageError
from ttctl.operations import stacks, swap
from ttctl.operations.devices import Wish
from ttctl.operations.devices import look as look_at_devices
from ttctl.operations.doors import door_of
from ttctl.operations.lease import shared
from ttctl.operations.logs import explained
from ttctl.operations.stack_probes import services
from ttctl.operations.stack_to_end import stacks_to_end
from ttctl.operations.stop import stop
from ttctl.operations.subject import Subject
from ttctl.operations.up import up

ENDED = {"state": "exited", "health": "unhealthy", "ports": ()}


@pytest.fixture
def small() -> Scene:
    """The stack `llama` on the processor."""
    return small_scene()


@pytest.fixture
def cards() -> Scene:
    """A stack that has one of four boards; three others have the rest."""
    return cards_scene()


def test_a_stop_ends_all_of_a_stack_and_removes_nothing(small: Scene) -> None:
    before = small.engine.containers("llama")
    plan = stop(small.world, "llama")
    assert [(one.verb, one.subject) for one in plan.changes] == [
        ("stop", "gateway"),
        ("stop", "vllm"),
    ]
    assert small.taken() == ["stop llama within 240 s"]
    after = small.engine.containers("llama")
    assert [one.container_id for one in after] == [one.container_id for one in before]
    assert {one.state for one in after} == {"exited"}
    assert "llama" in small.store.locks
    assert small.store.has_key("llama")
    assert small.store.read_folder(small.store.folder("llama"))


def test_a_second_stop_does_nothing_and_says_so(small: Scene) -> None:
    stop(small.world, "llama")
    small.taken()
    plan = stop(small.world, "llama")
    assert (plan.changes, small.taken()) == ((), [])
    assert plan.steps[0].reason.startswith("it is stopped already")


def test_the_time_that_is_asked_for_is_passed_on(small: Scene) -> None:
    assert "it has 5 s" in stop(small.world, "llama", timeout_s=5).steps[0].reason
    assert small.taken() == ["stop llama in 5 s each within 125 s"]


def test_a_dry_run_and_a_stack_without_containers_change_nothing(small: Scene) -> None:
    assert len(stop(small.world, "llama", dry_run=True).changes) == 2
    stacks.down(small.world, "llama", volumes=False, dry_run=False)
    small.taken()
    plan = stop(small.world, "llama")
    assert plan.steps[0].reason == "no container of this stack is here"
    assert small.taken() == []


def test_what_could_not_be_stopped_is_an_error(small: Scene) -> None:
    small.launcher.asked = (1, ("permission denied",))
    with pytest.raises(EngineError, match="could not be stopped") as caught:
        stop(small.world, "llama")
    assert caught.value.why == "permission denied"


def test_a_stack_that_another_command_changes_or_another_user_has_is_left(small: Scene) -> None:
    small.store.busy = True
    with pytest.raises(LockedError):
        stop(small.world, "llama")
    small.engine.set_state("vllm", owner="somebody")
    with pytest.raises(UsageError, match="another user"):
        stop(small.world, "llama")
    assert small.taken() == []


def test_which_stacks_are_meant_is_said_or_asked_for(small: Scene) -> None:
    up(small.world, SECOND)
    assert stacks_to_end(small.world, None, every=True, verb="stop") == ("llama", "second")
    assert stacks_to_end(small.world, "second", every=False, verb="stop") == ("second",)
    assert stacks_to_end(Scene().world, None, every=False, verb="stop") == ()
    with pytest.raises(UsageError, match="or all of them") as caught:
        stacks_to_end(small.world, "llama", every=True, verb="stop")
    assert caught.value.next_step == "ttctl stop llama   # or: ttctl stop --all"
    with pytest.raises(UsageError, match="Which stack") as caught:
        stacks_to_end(small.world, None, every=False, verb="stop")
    assert caught.value.next_step == "ttctl ps -a"


def test_a_stopped_stack_is_told_as_stopped_with_what_starts_it_and_without_a_cause(
    small: Scene,
) -> None:
    stop(small.world, "llama")
    small.engine.set_state("vllm", exit_code=143)
    found = stacks.status(small.world, "llama")
    assert (found.state, found.causes, found.next_step) == ("stopped", (), "ttctl start llama")
    assert {(one.failure, one.next_step) for one in explained(small.world, "llama")} == {
        ("stopped", "ttctl start llama")
    }
    (one,) = explained(small.world, "llama", services=("vllm",))
    assert one.failure == "stopped"


def test_who_waits_for_a_stopped_stack_or_talks_to_it_is_told_what_starts_it(small: Scene) -> None:
    stop(small.world, "llama")
    with pytest.raises(EngineError, match="nothing to wait for") as caught:
        stacks.wait(small.world, "llama", timeout_s=5)
    assert (caught.value.why, caught.value.next_step) == ("It was stopped.", "ttctl start llama")
    with pytest.raises(EngineError, match="does not run") as caught:
        door_of(small.world, "llama")
    assert caught.value.next_step == "ttctl start llama"


def test_doctor_takes_what_was_stopped_for_no_failure(small: Scene) -> None:
    stop(small.world, "llama")
    found = services(Subject(small.world, ("llama",)))
    assert {(one.name, one.verdict, one.fix) for one in found} == {
        (f"llama {name}", "skipped", "ttctl start llama") for name in ("gateway", "vllm")
    }


def test_a_stack_that_was_taken_down_names_no_start(small: Scene) -> None:
    stacks.down(small.world, "llama", volumes=False, dry_run=False)
    found = stacks.status(small.world, "llama")
    assert (found.state, found.next_step) == ("stopped", "")


@pytest.mark.parametrize(
    ("code", "failure"), [(1, "ended"), (137, "killed")], ids=["it failed", "it was killed"]
)
def test_a_stack_that_crashed_before_it_was_stopped_is_still_told_as_failed(
    small: Scene, code: int, failure: str
) -> None:
    moment = "2026-01-31T10:30:00Z"
    small.engine.set_state("vllm", **ENDED, exit_code=code, finished_at=moment)
    stop(small.world, "llama")
    found = stacks.status(small.world, "llama")
    assert (found.state, found.next_step) == ("degraded", "")
    assert [(one.service, one.failure) for one in found.causes if one.service == "vllm"] == [
        ("vllm", failure)
    ]


def test_a_crash_alone_is_no_stop(small: Scene) -> None:
    small.engine.set_state("vllm", **ENDED, exit_code=0)
    found = stacks.status(small.world, "llama")
    assert (found.state, [one.failure for one in found.causes]) == ("degraded", ["ended-well"])


def test_up_of_a_stopped_stack_starts_its_containers_and_makes_none(small: Scene) -> None:
    before = {one.container_id for one in small.engine.containers("llama")}
    stop(small.world, "llama")
    small.taken()
    assert up(small.world, SMALL).changed
    assert small.taken() == ["up"]
    assert {one.container_id for one in small.engine.containers("llama")} == before
    assert running(small) == ["llama"]


def test_down_of_a_stopped_stack_removes_it(small: Scene) -> None:
    stop(small.world, "llama")
    small.taken()
    plan = stacks.down(small.world, "llama", volumes=False, dry_run=False)
    assert [one.reason for one in plan.changes] == ["exited", "exited"]
    assert small.taken() == ["down"]
    assert not small.engine.containers("llama")


def test_a_swap_of_a_stopped_stack_is_refused_with_what_brings_the_other_up(small: Scene) -> None:
    stop(small.world, "llama")
    small.taken()
    with pytest.raises(UsageError, match="'llama' is not up") as caught:
        swap.look(small.world, "llama", SECOND)
    assert caught.value.next_step == "ttctl up llama --name second"
    assert small.taken() == []


def test_a_swap_to_a_stopped_stack_brings_it_up(small: Scene) -> None:
    up(small.world, SECOND)
    stop(small.world, "llama")
    found = swap.prepare(small.world, "second", SMALL)
    assert swap.exchange(small.world, found).up.stack == "llama"
    assert running(small) == ["llama"]


def test_a_stopped_stack_keeps_its_port(small: Scene) -> None:
    stop(small.world, "llama")
    assert up(small.world, SECOND).url.endswith(":8001")


def test_how_an_engine_with_boards_ended_is_kept_and_its_boards_are_free(cards: Scene) -> None:
    stop(cards.world, NAME)
    (lease,) = [one for one in shared(cards.world).leases if FIRST in one.domain.names]
    assert (lease.state, lease.dirty) == ("free", "")
    assert stacks.status(cards.world, NAME).boards == ()
    assert cards.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)


def test_devices_show_the_boards_of_a_stopped_stack_as_free() -> None:
    scene = lone_scene()
    (board,) = look_at_devices(scene.world, Wish()).system.boards
    assert board.free == "held"
    stop(scene.world, NAME)
    (board,) = look_at_devices(scene.world, Wish()).system.boards
    assert (board.free, board.holders) == ("free", ())


def test_an_engine_that_had_to_be_killed_leaves_boards_that_need_a_reset(cards: Scene) -> None:
    live(cards).killed = NAME
    stop(cards.world, NAME, timeout_s=0)
    assert [one.board for one in cards.leases.remembered().spoiled] == [FIRST]


def test_another_stack_takes_the_boards_of_a_stopped_one_which_is_then_told_who_has_them() -> None:
    scene = lone_scene()
    stop(scene.world, NAME)
    up(scene.world, THIRD)
    assert scene.engine.states["ttctl-third-vllm-1"].boards == (FIRST,)
    with pytest.raises(HeldError) as caught:
        up(scene.world, LLAMA)
    assert "third" in f"{caught.value.message} {caught.value.evidence}"


def test_what_was_never_started_is_left_as_it_is(small: Scene) -> None:
    made = replace(container("vllm"), state="created", health="")
    small.engine.states = {made.name: made}
    plan = stop(small.world, "llama")
    assert (plan.changes, small.taken()) == ((), [])
    assert "ttctl down llama" in plan.steps[0].reason
