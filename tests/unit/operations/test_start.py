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

from ttctl.errors import DirtyError, EngineError, HeldError, LockedError
from ttctl.model.lease import Spoiled
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations.desire import desire, plan_for
from ttctl.operations.start import on_free_boards, start
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
def test_our_own_engine_is_stopped_before_the_guard_and_a_recreate_is_passed_on_once(
    running: Scene, state: str
) -> None:
    running.engine.set_state("vllm", state=state)
    up(running.world, LLAMA, how=How(recreate=True))
    assert [one for one in running.taken() if not one.startswith("remove")] == [
        f"ask {NAME} stop within 240 s", "guard", CACHE, "create, recreating", "let go", "up",
    ]  # fmt: skip


def test_an_engine_that_hangs_is_removed_before_its_successor_holds_the_lease(
    running: Scene,
) -> None:
    running.engine.set_state("vllm", health="unhealthy")
    up(running.world, LLAMA)
    assert running.taken() == [
        f"ask {NAME} stop within 240 s", "guard", CACHE, "remove vllm", "create", "let go", "up",
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
    assert caught.value.next_step.startswith("ttctl up acme/Llama-8B-Instruct --reset")
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

    def ask(
        self, stack: str, arguments: Sequence[str], *, timeout_s: float
    ) -> tuple[int, tuple[str, ...]]:
        found = super().ask(stack, arguments, timeout_s=timeout_s)
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
        f"ask {NAME} stop within 240 s", "guard", RESET, CACHE, "create, recreating", "let go",
        "up",
    ]  # fmt: skip


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
