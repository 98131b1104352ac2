# SPDX-License-Identifier: Apache-2.0
"""Is the right stack picked, is its state told truly, and does `down` take only it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import Scene, container

from ttctl.errors import BadFileError, LockedError, UsageError
from ttctl.model.spec import Request
from ttctl.operations import stacks
from ttctl.operations.desire import desire
from ttctl.operations.plan import lock
from ttctl.operations.stack_to_end import stack_to_end
from ttctl.operations.steps import plan_for
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.lock import Lock

LLAMA = Request(model="llama")


@pytest.fixture
def scene() -> Scene:
    """One stack, `llama`, that is up."""
    scene = Scene()
    up(scene.world, LLAMA)
    scene.taken()
    return scene


@pytest.fixture
def two(scene: Scene) -> Scene:
    """A second one, `second`."""
    up(scene.world, replace(LLAMA, name="second", port=8001))
    scene.taken()
    return scene


def test_the_only_stack_needs_no_word(scene: Scene) -> None:
    assert stacks.pick_stack(scene.world, None) == "llama"


def test_a_stack_that_is_named_is_taken(two: Scene) -> None:
    assert stacks.pick_stack(two.world, "second") == "second"


def test_of_several_the_only_one_that_runs_needs_no_word(two: Scene) -> None:
    stacks.down(two.world, "llama", volumes=False, dry_run=False)
    assert stacks.pick_stack(two.world, None) == "second"


def test_several_that_run_need_a_word(two: Scene) -> None:
    with pytest.raises(UsageError, match="Which stack is meant") as caught:
        stacks.pick_stack(two.world, None)
    assert caught.value.evidence == "Stacks: llama, second."


def test_a_name_that_is_not_there_is_told_with_those_that_are(two: Scene) -> None:
    with pytest.raises(UsageError, match="no stack 'lama'") as caught:
        stacks.pick_stack(two.world, "lama")
    assert caught.value.evidence == "Stacks: llama, second."
    assert (caught.value.mistyped, caught.value.meant) == ("lama", "llama")


@pytest.mark.parametrize("word", ["nosuch", "../../x", ".."])
def test_a_name_near_to_none_is_not_brought_up(two: Scene, word: str) -> None:
    with pytest.raises(UsageError, match="There is no stack") as caught:
        stacks.pick_stack(two.world, word)
    assert (caught.value.meant, caught.value.next_step) == ("", "ttctl ps -a")


def test_a_model_that_is_not_up_is_brought_up(two: Scene) -> None:
    with pytest.raises(UsageError, match="There is no stack") as caught:
        stacks.pick_stack(two.world, "Small-1B")
    assert caught.value.next_step == "ttctl up Small-1B"


@pytest.fixture
def locked(scene: Scene) -> Scene:
    """A stack `lk` that was locked and never started, beside `llama` that runs."""
    lock(scene.world, replace(LLAMA, name="lk"), upgrade=False)
    scene.taken()
    return scene


def test_a_stack_that_was_never_started_is_told_as_such(locked: Scene) -> None:
    found = stacks.status(locked.world, "lk")
    assert (found.state, found.url) == ("unstarted", "")


def test_a_stack_that_was_never_started_is_not_meant_where_others_run(locked: Scene) -> None:
    assert stacks.pick_stack(locked.world, None) == "llama"
    up(locked.world, replace(LLAMA, name="second", port=8001))
    with pytest.raises(UsageError, match="Which stack is meant") as caught:
        stacks.pick_stack(locked.world, None)
    assert caught.value.evidence == "Stacks: llama, second."
    assert caught.value.added == "llama"


def test_down_with_volumes_forgets_a_stack_that_was_never_started(locked: Scene) -> None:
    plan = stacks.down(locked.world, "lk", volumes=False, dry_run=False)
    assert (plan.changes, locked.taken()) == ((), ["down"])
    assert "ttctl down lk -v" in plan.steps[0].reason
    plan = stacks.down(locked.world, "lk", volumes=True, dry_run=True)
    assert [step.verb for step in plan.changes] == ["remove"]
    stacks.down(locked.world, "lk", volumes=True, dry_run=False)
    assert locked.taken() == ["forget lk"]
    assert stacks.known_stacks(locked.world) == ("llama",)


def test_down_with_volumes_keeps_the_lock_of_a_stack_that_was_started(scene: Scene) -> None:
    stacks.down(scene.world, "llama", volumes=True, dry_run=False)
    stacks.down(scene.world, "llama", volumes=True, dry_run=False)
    assert stacks.known_stacks(scene.world) == ("llama",)


def test_a_machine_without_a_stack_says_how_to_make_one() -> None:
    with pytest.raises(UsageError, match="no stack yet") as caught:
        stacks.pick_stack(Scene().world, None)
    assert caught.value.next_step == "ttctl up llama"


def test_the_stacks_of_another_state_folder_are_not_known(scene: Scene) -> None:
    other = container("vllm", stack="theirs", owner="somebody")
    scene.engine.states[other.name] = other
    assert stacks.known_stacks(scene.world) == ("llama",)


def test_a_stack_whose_lock_is_gone_is_known_by_its_containers(scene: Scene) -> None:
    scene.store.locks.clear()
    assert stacks.known_stacks(scene.world) == ("llama",)


@pytest.mark.parametrize(
    ("service", "changes", "expected"),
    [
        pytest.param("vllm", {}, "ready", id="answers"),
        pytest.param("vllm", {"health": "starting"}, "starting", id="loads"),
        pytest.param("vllm", {"state": "exited"}, "degraded", id="one ended"),
        pytest.param("gateway", {"state": "paused"}, "degraded", id="one is paused"),
        pytest.param("vllm", {"health": "unhealthy"}, "degraded", id="one is unhealthy"),
    ],
)
def test_the_state_is_what_the_containers_show(
    scene: Scene, service: str, changes: dict[str, Any], expected: str
) -> None:
    scene.engine.set_state(service, **changes)
    assert stacks.status(scene.world, "llama").state == expected


def test_healthy_containers_that_do_not_answer_are_degraded(scene: Scene) -> None:
    scene.gateway.is_healthy = False
    assert stacks.status(scene.world, "llama").state == "degraded"


def test_a_stack_that_was_taken_down_is_stopped_and_keeps_its_lock_and_key(scene: Scene) -> None:
    stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    found = stacks.status(scene.world, "llama")
    assert (found.state, found.model) == ("stopped", "acme/Small-1B")
    assert scene.store.has_key("llama")


def test_a_stack_is_wanted_after_a_boot_until_it_is_ended(scene: Scene) -> None:
    assert stacks.status(scene.world, "llama").wanted
    stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert not stacks.status(scene.world, "llama").wanted


def test_a_damaged_lock_is_told_and_the_stack_is_still_shown(scene: Scene) -> None:
    def damaged(stack: str) -> Lock | None:
        raise BadFileError(f"The lock of {stack} was changed.", evidence="line 3")

    scene.store.lock = damaged  # type: ignore[method-assign]
    found = stacks.status(scene.world, "llama")
    assert found.state == "unknown"
    assert found.reason == "The lock of llama was changed. line 3"
    assert found.url == "http://127.0.0.1:8000"


def test_down_says_what_it_does_and_does_it_once(scene: Scene) -> None:
    plan = stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert [step.subject for step in plan.changes] == ["gateway", "vllm"]
    assert scene.taken() == ["down"]
    again = stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert again.changes == ()
    # Compose looks once more: a command that was killed may have left the networks.
    assert scene.taken() == ["down"]


def test_down_of_a_name_that_nothing_has_makes_no_folder(scene: Scene) -> None:
    assert stacks.down(scene.world, "nobody", volumes=False, dry_run=False).changes == ()
    assert scene.taken() == []


@pytest.mark.parametrize("word", ["/etc/foo", "../../escape", "", "Bad Name"])
def test_a_word_that_can_name_no_stack_is_refused_before_anything_is_touched(
    scene: Scene, word: str
) -> None:
    with pytest.raises(UsageError):
        stack_to_end(scene.world, word)
    assert scene.taken() == []


def test_down_of_one_stack_leaves_the_other(two: Scene) -> None:
    stacks.down(two.world, "llama", volumes=True, dry_run=False)
    assert {state.stack for state in two.engine.containers(None)} == {"second"}
    assert two.taken() == ["down with volumes"]


def test_a_dry_run_of_down_changes_nothing(scene: Scene) -> None:
    plan = stacks.down(scene.world, "llama", volumes=False, dry_run=True)
    assert len(plan.changes) == 2
    assert scene.taken() == []


def test_down_leaves_another_users_containers_alone(scene: Scene) -> None:
    scene.engine.set_state("vllm", owner="somebody")
    with pytest.raises(UsageError, match="another user"):
        stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert scene.taken() == []


def test_down_does_not_touch_a_stack_that_another_command_changes(scene: Scene) -> None:
    scene.store.busy = True
    with pytest.raises(LockedError):
        stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert scene.taken() == []


@pytest.mark.parametrize(
    ("word", "evidence"),
    [
        pytest.param("lama", "Stacks: llama. Nearest: llama.", id="nearly one"),
        pytest.param("zzz", "Stacks: llama.", id="like none"),
        pytest.param("demo-llama", "Stacks: llama. Nearest: llama.", id="a model that is not up"),
    ],
)
def test_a_stack_of_which_nothing_is_here_is_refused_and_none_is_guessed(
    scene: Scene, word: str, evidence: str
) -> None:
    with pytest.raises(UsageError, match=f"There is no stack '{word}'") as caught:
        stack_to_end(scene.world, word)
    assert caught.value.evidence == evidence
    assert (caught.value.next_step, caught.value.meant) == ("ttctl ps -a", "")


def test_a_stack_that_is_stopped_or_was_left_in_parts_is_taken_for_what_it_is(two: Scene) -> None:
    stacks.down(two.world, "llama", volumes=False, dry_run=False)
    assert stack_to_end(two.world, "llama") == "llama"
    del two.store.locks["llama"]
    assert stack_to_end(two.world, "llama") == "llama"
    other = container("vllm", stack="theirs", owner="somebody")
    two.engine.states[other.name] = other
    assert stack_to_end(two.world, "theirs") == "theirs"


def test_of_several_stacks_none_is_proposed_for_an_end(two: Scene) -> None:
    with pytest.raises(UsageError, match="Which stack is meant") as caught:
        stack_to_end(two.world, None)
    assert (caught.value.next_step, caught.value.added) == ("ttctl ps -a", "")
    assert caught.value.evidence == "Stacks: llama, second."


def test_a_stack_on_cards_is_told_with_its_boards_and_caches(scene: Scene) -> None:
    scene.engine.set_state("vllm", boards=("0xB", "0xA"))
    mine, old = "tt-transformers-Small-1B-v0.9.0", "tt-transformers-Small-1B-v0.8.0"
    scene.engine_files.made = {mine: (".",), old: (".",), "x-Small-1Big": (".",)}
    scene.engine_files.parts = {"kernels": 5, "tt_metal_cache": 7}
    assert stacks.status(scene.world, "llama").caches == ()
    scene.store.locks["llama"] = replace(scene.store.locks["llama"], device="n150")
    files = scene.store.rendered[str(scene.store.folder("llama"))]
    cache = scene.engine_files.cache(mine)
    files[".env"] = (f"{files['.env'][0]}TTCTL_CACHE='{cache}'\n", False)
    found = stacks.status(scene.world, "llama")
    assert found.boards == ("0xA", "0xB")
    assert [(one.name, one.size_bytes) for one in found.caches] == [(mine, 12)]
    assert [one.name for one in found.other_caches] == [old]


def test_a_stack_that_docker_run_started_is_taken_down(scene: Scene) -> None:
    for service in ("vllm", "gateway"):
        scene.engine.set_state(service, composed=False)
    plan = stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert [step.subject for step in plan.changes] == ["gateway", "vllm"]
    assert scene.taken() == ["down"]


def test_up_leaves_what_docker_run_made_as_wanted_and_else_replaces_all_of_it(scene: Scene) -> None:
    for service in ("vllm", "gateway"):
        scene.engine.set_state(service, composed=False)
    assert not up(scene.world, LLAMA).changed
    scene.taken()
    scene.engine.set_state("gateway", config_hash="other")
    changes = plan_for(scene.world, desire(scene.world, LLAMA)).changes
    assert [step.subject for step in changes if step.verb == "start"] == ["vllm", "gateway"]
    up(scene.world, LLAMA)
    assert scene.taken()[:2] == ["down", "up"]
    assert all(one.composed for one in scene.engine.containers("llama"))


@pytest.fixture
def taken(scene: Scene) -> Scene:
    """`llama` is down, and another user of ttctl has one of that name."""
    for service in ("gateway", "vllm"):
        scene.engine.set_state(service, owner="somebody")
    return scene


def test_another_users_stack_of_the_same_name_is_not_ones_own(taken: Scene) -> None:
    found = stacks.status(taken.world, "llama")
    assert (found.state, found.containers) == ("stopped", ())
    assert {one.service: one.owner for one in found.others} == {
        "gateway": "somebody",
        "vllm": "somebody",
    }


def test_nobody_waits_for_another_users_stack(taken: Scene) -> None:
    with pytest.raises(UsageError, match="belongs to another user") as caught:
        stacks.wait(taken.world, "llama", timeout_s=1)
    assert "owner somebody" in caught.value.evidence


def test_another_users_stack_is_not_meant_where_one_of_ones_own_has_containers(
    two: Scene,
) -> None:
    for name, state in two.engine.states.items():
        if state.stack == "llama":
            two.engine.states[name] = replace(state, owner="somebody")
    assert stacks.pick_stack(two.world, None) == "second"
