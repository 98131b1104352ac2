# SPDX-License-Identifier: Apache-2.0
"""Are boards taken, and containers made that lease them, while nobody else can take any?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import (
    FIRST,
    LLAMA,
    NAME,
    PINNED,
    PINNED_IMAGE,
    SERVER,
    card_scene,
    held,
    killed,
)
from tests.unit.fakes import FakeLauncher
from tests.unit.rules.leasing import stack

from ttctl.errors import (
    DirtyError,
    EngineError,
    HeldError,
    LockedError,
    ToolMissingError,
    TtctlError,
)
from ttctl.model.lease import Spoiled
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.start import on_free_boards, start
from ttctl.operations.steps import plan_for
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.unit.fakes import Scene

    from ttctl.model.protocols import Reporter

CACHE = "prepare tt_transformers-Llama-8B-Instruct-v0.9.0 for its entrypoint"
UNDER_THE_GUARD = ["guard", CACHE, "write and prune", "create", "let go"]
ON_THE_FIRST = replace(LLAMA, boards=("0",))
RESET = "reset /dev/tenstorrent/0 /dev/tenstorrent/1 /dev/tenstorrent/2 /dev/tenstorrent/3"
"""Boards that are linked to each other go down together."""


@pytest.fixture
def scene() -> Scene:
    return card_scene()


@pytest.fixture
def running(scene: Scene) -> Scene:
    """The same with the entry's stack on the first board."""
    up(scene.world, LLAMA)
    scene.leases.containers = (stack(NAME, FIRST, paths=("/dev/tenstorrent/0",)),)
    scene.taken()
    return scene


def folder(scene: Scene) -> dict[str, str]:
    return scene.store.read_folder(scene.store.folder(NAME))


def test_boards_are_taken_and_containers_made_under_the_guard_and_started_without_it(
    scene: Scene,
) -> None:
    result = up(scene.world, LLAMA)
    assert scene.taken() == [
        "base", f"pull {PINNED_IMAGE}", "fetch acme/Llama-8B-Instruct", "build base",
        "build gateway", "key", *UNDER_THE_GUARD, "up",
    ]  # fmt: skip
    assert (result.changed, result.answers, result.device) == (True, True, "n300")
    assert scene.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)
    assert "TTCTL_NODE_0='/dev/tenstorrent/0:/dev/tenstorrent/0'" in folder(scene)[".env"]


def test_a_second_up_changes_nothing(running: Scene) -> None:
    assert not up(running.world, LLAMA).changed
    assert running.taken() == []


@pytest.mark.parametrize("state", ["running", "restarting", "paused"])
def test_our_own_engine_is_stopped_under_the_guard_and_a_recreate_is_passed_on_once(
    running: Scene, state: str
) -> None:
    running.engine.set_state("vllm", state=state)
    up(running.world, LLAMA, how=How(recreate=True))
    assert [one for one in running.taken() if not one.startswith("remove")] == [
        "guard", f"stop {NAME} within 240 s", CACHE, "create, recreating", "let go", "up",
    ]  # fmt: skip


def test_an_engine_that_runs_as_wanted_is_left_alone_while_its_gateway_is_started_again(
    running: Scene,
) -> None:
    running.engine.set_state("gateway", state="exited")
    engine = running.engine.states[f"ttctl-{NAME}-vllm-1"]
    up(running.world, LLAMA)
    assert running.taken() == ["up"]
    assert running.engine.states[f"ttctl-{NAME}-vllm-1"].container_id == engine.container_id


def test_a_plan_says_that_a_stack_is_stopped_whose_boards_are_leased_anew(running: Scene) -> None:
    running.engine.set_state("vllm", health="unhealthy")
    desired = on_free_boards(running.world, desire(running.world, LLAMA))
    said = [(one.verb, one.subject) for one in plan_for(running.world, desired).changes]
    assert [one for one in said if one[0] != "lease"] == [
        ("stop", f"stack {NAME}"),
        ("remove", "vllm"),
        ("start", "vllm"),
        ("start", "gateway"),
    ]


class OthersWait(FakeLauncher):
    """Lets another stack take whatever is free as soon as nobody holds the guard."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._leases = scene.leases
        self.free_for_others: list[bool] = []

    def stop(
        self, stack: str, *, timeout_s: int | None, limit_s: float
    ) -> tuple[int, tuple[str, ...]]:
        found = super().stop(stack, timeout_s=timeout_s, limit_s=limit_s)
        ended = (replace(one, phase="exited") for one in self._leases.containers)
        self._leases.containers = tuple(ended)
        self.free_for_others.append(not self._leases.holding)
        return found


@pytest.fixture
def second(scene: Scene) -> Scene:
    """The entry's stack on the third board, while lower ones are free."""
    up(scene.world, replace(LLAMA, boards=("2",)))
    key = "0000:02:00.0"
    scene.leases.containers = (stack(NAME, key, paths=("/dev/tenstorrent/2",)),)
    scene.taken()
    scene.launcher = OthersWait(scene)
    return scene


def test_an_engine_that_is_replaced_keeps_its_boards_though_it_has_stopped(second: Scene) -> None:
    up(second.world, LLAMA, how=How(recreate=True))
    assert second.launcher.free_for_others == [False]
    assert second.engine.states[f"ttctl-{NAME}-vllm-1"].boards == ("0000:02:00.0",)
    assert "TTCTL_NODE_0='/dev/tenstorrent/2:/dev/tenstorrent/2'" in folder(second)[".env"]


def test_an_engine_that_is_replaced_moves_where_other_boards_are_asked_for(second: Scene) -> None:
    up(second.world, replace(LLAMA, boards=("1",)))
    assert second.engine.states[f"ttctl-{NAME}-vllm-1"].boards == ("0000:01:00.0",)


def test_an_engine_that_had_to_be_killed_leaves_its_boards_for_those_in_order(
    second: Scene,
) -> None:
    second.leases.remember([Spoiled(board="0000:02:00.0", reason="it was killed")])
    second.engine.set_state("vllm", state="exited")
    ended = (replace(one, phase="exited") for one in second.leases.containers)
    second.leases.containers = tuple(ended)
    up(second.world, LLAMA)
    assert second.engine.states[f"ttctl-{NAME}-vllm-1"].boards == ("0000:00:00.0",)


def test_boards_that_another_took_since_the_plan_are_refused_before_our_engine_is_stopped(
    second: Scene,
) -> None:
    second.engine.images.add(PINNED_IMAGE)
    wanted = replace(LLAMA, boards=("1",))
    desired = on_free_boards(second.world, desire(second.world, wanted))
    plan = plan_for(second.world, desired, How(recreate=True))
    key = "0000:01:00.0"
    second.leases.containers += (stack("chat", key, paths=("/dev/tenstorrent/1",)),)
    with pytest.raises(HeldError, match="is in use"):
        start(second.world, desired, plan, before={}, how=How(recreate=True), wait_s=1)
    assert second.taken() == ["guard"]


def test_an_engine_that_could_not_be_stopped_is_left_and_the_guard_let_go(running: Scene) -> None:
    running.launcher.asked = (1, ("one", "Error response from daemon: it does not stop"))
    running.engine.set_state("vllm", health="unhealthy")
    with pytest.raises(EngineError, match=f"stack '{NAME}' could not be stopped") as caught:
        up(running.world, LLAMA)
    assert caught.value.why == "Error response from daemon: it does not stop"
    assert "docker ended with 1" in caught.value.evidence
    assert caught.value.next_step == f"docker ps --all --filter label=dev.ttctl.stack={NAME}"
    assert running.taken() == ["guard", f"stop {NAME} within 240 s"]
    assert not running.leases.holding


def test_an_engine_that_hangs_is_removed_before_its_successor_holds_the_lease(
    running: Scene,
) -> None:
    running.engine.set_state("vllm", health="unhealthy")
    up(running.world, LLAMA)
    assert running.taken() == [
        "guard", f"stop {NAME} within 240 s", CACHE, "remove vllm", "create", "let go", "up",
    ]  # fmt: skip
    assert running.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)


def test_the_cache_is_made_for_the_user_of_the_image_and_a_key_where_its_server_wants_one() -> None:
    scene = card_scene(SERVER)
    up(scene.world, Request(model=SERVER.model, device="n300"))
    done = scene.taken()
    at = done.index("guard")
    assert done[at + 1 : at + 3] == ["prepare whisper-Whisper-1B for 1000", "engine key whisper-1b"]
    assert all(folders for folders in scene.engine_files.made.values())


def test_dirty_boards_are_refused_without_a_reset_and_nothing_is_written(scene: Scene) -> None:
    killed(scene)
    with pytest.raises(DirtyError, match=f"boards for '{NAME}' need a reset") as caught:
        up(scene.world, ON_THE_FIRST)
    assert "was killed (exit code 137)" in caught.value.evidence
    assert caught.value.next_step.startswith(
        "ttctl up acme/Llama-8B-Instruct --device n300 --board 0 --reset   #"
    )
    assert scene.taken() == []
    assert folder(scene) == {}


def test_boards_that_are_in_order_are_taken_before_dirty_ones(scene: Scene) -> None:
    killed(scene)
    up(scene.world, LLAMA)
    assert "TTCTL_NODE_0='/dev/tenstorrent/1:/dev/tenstorrent/1'" in folder(scene)[".env"]
    assert not [one for one in scene.taken() if one.startswith("reset")]


def test_with_consent_dirty_boards_are_reset_under_the_guard_and_looked_at_anew(
    scene: Scene,
) -> None:
    killed(scene)

    def moves() -> None:
        boards = scene.host.found.boards
        moved = [
            replace(one, nodes=(f"/dev/tenstorrent/{(number + 1) % 4}",))
            for number, one in enumerate(boards)
        ]
        scene.host.found = replace(scene.host.found, boards=tuple(moved))

    scene.resets.on_reset = moves
    up(scene.world, ON_THE_FIRST, how=How(reset=True))
    done = scene.taken()
    assert done[done.index("guard") :] == ["guard", RESET, *UNDER_THE_GUARD[1:], "up"]
    assert "TTCTL_NODE_0='/dev/tenstorrent/1:/dev/tenstorrent/1'" in folder(scene)[".env"]
    assert not scene.leases.kept.spoiled


def test_boards_that_became_dirty_meanwhile_are_refused_under_the_guard_too(scene: Scene) -> None:
    desired = on_free_boards(scene.world, desire(scene.world, ON_THE_FIRST))
    plan = plan_for(scene.world, desired)
    killed(scene)
    with pytest.raises(DirtyError):
        start(scene.world, desired, plan, before={}, how=How(), wait_s=1)
    assert scene.taken() == ["guard"]
    assert not scene.leases.holding
    assert folder(scene) == {}


class StopsForGood(FakeLauncher):
    """What it stops has no board any more."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._leases = scene.leases

    def stop(
        self, stack: str, *, timeout_s: int | None, limit_s: float
    ) -> tuple[int, tuple[str, ...]]:
        found = super().stop(stack, timeout_s=timeout_s, limit_s=limit_s)
        ended = (replace(one, phase="exited") for one in self._leases.containers)
        self._leases.containers = tuple(ended)
        return found


def test_the_boards_of_our_own_engine_are_reset_once_it_has_stopped(running: Scene) -> None:
    running.launcher = StopsForGood(running)
    running.leases.remember([Spoiled(board=FIRST, reason="its log ends with a fatal line")])
    assert not up(running.world, ON_THE_FIRST).changed
    with pytest.raises(DirtyError, match="need a reset") as caught:
        up(running.world, ON_THE_FIRST, how=How(recreate=True))
    assert caught.value.evidence == "its log ends with a fatal line"
    assert running.taken() == []
    up(running.world, ON_THE_FIRST, how=How(recreate=True, reset=True))
    assert running.taken() == [
        "guard", f"stop {NAME} within 240 s", RESET, CACHE, "create, recreating", "let go", "up",
    ]  # fmt: skip


class RemovesForGood(FakeLauncher):
    """What it removes leases no board any more."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._leases = scene.leases

    def remove(
        self, stack: str, folder: Path, services: Sequence[str], *, reporter: Reporter
    ) -> None:
        super().remove(stack, folder, services, reporter=reporter)
        self._leases.containers = ()


@pytest.fixture
def unstarted(running: Scene) -> Scene:
    """A command that was killed between making the containers and starting them."""
    running.launcher = RemovesForGood(running)
    for service in ("vllm", "gateway"):
        running.engine.set_state(service, state="created", health="", ports=())
    made = stack(NAME, FIRST, paths=("/dev/tenstorrent/0",), phase="created")
    running.leases.containers = (made,)
    return running


def test_containers_that_were_made_and_never_started_are_made_anew(unstarted: Scene) -> None:
    # They may lack a network: the kill may have come before it was connected.
    assert up(unstarted.world, LLAMA).changed
    assert unstarted.taken() == [
        "guard", CACHE, "remove gateway vllm", "create", "let go", "up",
    ]  # fmt: skip
    assert unstarted.engine.states[f"ttctl-{NAME}-vllm-1"].state == "running"


def test_containers_that_were_made_and_never_started_are_in_no_resets_way(
    unstarted: Scene,
) -> None:
    unstarted.leases.remember([Spoiled(board=FIRST, reason="its last reset failed")])
    with pytest.raises(DirtyError):
        up(unstarted.world, LLAMA)
    assert unstarted.taken() == []
    up(unstarted.world, LLAMA, how=How(reset=True))
    assert unstarted.taken() == [
        "guard", "remove vllm", RESET, CACHE, "remove gateway", "create", "let go", "up",
    ]  # fmt: skip
    assert unstarted.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)
    assert not up(unstarted.world, LLAMA).changed


def no_tool(scene: Scene) -> None:
    """Let the host have no tt-smi, while the image has one."""

    def missing() -> None:
        if not scene.resets.orders[-1].image:
            raise ToolMissingError("tt-smi is not installed.")

    scene.resets.on_reset = missing


def test_where_the_host_has_no_tool_the_images_resets_the_boards(scene: Scene) -> None:
    killed(scene)
    no_tool(scene)
    up(scene.world, ON_THE_FIRST, how=How(reset=True))
    assert [one.image for one in scene.resets.orders] == ["", PINNED_IMAGE]
    assert not scene.leases.kept.spoiled
    assert scene.taken()[-1] == "up"


class MakesNone(FakeLauncher):
    """An engine that refuses to make a container."""

    def create(self, stack: str, folder: Path, *, recreate: bool, reporter: Reporter) -> None:
        super().create(stack, folder, recreate=recreate, reporter=reporter)
        raise EngineError("It refuses a device.")


def test_where_no_container_can_be_made_the_guard_is_let_go_and_no_limit_is_remembered(
    scene: Scene,
) -> None:
    scene.launcher = MakesNone(scene.calls, scene.engine, scene.store)
    with pytest.raises(EngineError, match="It refuses a device"):
        up(scene.world, replace(LLAMA, max_model_len=1024))
    assert not scene.leases.holding
    assert "up" not in scene.taken()
    assert folder(scene) == {}


def test_a_held_board_is_refused_with_nothing_written(scene: Scene) -> None:
    held(scene, FIRST)
    with pytest.raises(HeldError) as caught:
        up(scene.world, ON_THE_FIRST)
    assert "stack chat" in caught.value.evidence
    assert scene.taken() == []
    assert folder(scene) == {}


def test_a_board_that_was_taken_since_the_plan_is_left_to_who_has_it(scene: Scene) -> None:
    desired = on_free_boards(scene.world, desire(scene.world, LLAMA))
    plan = plan_for(scene.world, desired)
    held(scene, FIRST)
    scene.engine.images |= {image.reference for image in desired.images}
    start(scene.world, desired, plan, before={}, how=How(), wait_s=1)
    assert scene.engine.states[f"ttctl-{NAME}-vllm-1"].boards == ("0000:01:00.0",)


def test_while_another_command_chooses_boards_nothing_is_made(scene: Scene) -> None:
    scene.leases.busy = True
    with pytest.raises(LockedError):
        up(scene.world, LLAMA)
    assert scene.taken()[-1] == "key"
    assert folder(scene) == {}


class Takes(FakeLauncher):
    """Takes its time until the engine is healthy, and fills the cache meanwhile."""

    def __init__(self, scene: Scene, seconds: float) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._scene, self._seconds = scene, seconds

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        super().up(stack, folder, how=how, wait_s=wait_s, reporter=reporter)
        self._scene.clock.sleep(self._seconds)
        self._scene.engine_files.parts = {"kernels": 5_000_000}


def test_how_long_a_start_took_is_kept_and_told_at_the_next_of_its_kind(scene: Scene) -> None:
    scene.engine_files.parts = {"kernels": 0}
    scene.launcher = Takes(scene, 1800)
    up(scene.world, LLAMA)
    scene.launcher = Takes(scene, 360)
    for _ in range(2):
        up(scene.world, LLAMA, how=How(recreate=True))
        # Nothing is started by this one, so nothing is kept.
        up(scene.world, LLAMA)
    kept = scene.starts.kept
    assert [(one.first, one.seconds) for one in kept] == [
        (True, 1800),
        (False, 360),
        (False, 360),
    ]
    assert len({one.key for one in kept}) == 1
    assert kept[0].key.startswith(f"{PINNED.model} n300 vllm ")
    told = [one for one in scene.reporter.notes if "caches" in one and "start" in one]
    assert told[-1].endswith("usually 6 min (from 1 earlier start here)")
    assert "earlier" not in told[0]


def test_a_start_that_failed_or_was_not_waited_for_is_not_kept(scene: Scene) -> None:
    up(scene.world, LLAMA, how=How(wait=False))
    scene.launcher.fails = EngineError("It ended.")
    with pytest.raises(EngineError):
        up(scene.world, LLAMA, how=How(recreate=True))
    assert scene.starts.kept == ()


def test_a_time_that_cannot_be_kept_ends_no_start(scene: Scene) -> None:
    scene.starts.fails = TtctlError("The disk is full.")
    assert up(scene.world, LLAMA).answers


def test_limits_that_the_engine_refused_are_not_remembered(running: Scene) -> None:
    before = folder(running)
    running.launcher.fails = EngineError("It ended.")
    with pytest.raises(EngineError):
        up(running.world, replace(LLAMA, max_model_len=1024))
    assert folder(running) == before


def test_limits_reach_the_file_that_the_engine_reads_and_the_lock(running: Scene) -> None:
    up(running.world, replace(LLAMA, max_model_len=1024))
    told = folder(running)["launch/model_spec.json"]
    assert '"max_model_len": "1024"' in told
    assert PINNED.limits.max_model_len != 1024
    assert running.store.locks[NAME].max_model_len == 1024
    running.taken()
    # A second one remembers them.
    assert not up(running.world, LLAMA).changed
