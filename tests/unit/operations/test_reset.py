# SPDX-License-Identifier: Apache-2.0
"""Is a reset done under the lock, on what is there then, and the machine looked at anew?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import OWNER, Scene
from tests.unit.rules.leasing import container, machine, node, stack

from ttctl.errors import (
    EngineError,
    HeldError,
    LockedError,
    NoDeviceError,
    ToolMissingError,
    TtctlError,
    UsageError,
)
from ttctl.model.reset import ResetOrder
from ttctl.operations.lease import shared
from ttctl.operations.reset import ResetWish, clear, plan, reset, to_clear
from ttctl.rules.domains import domains_of

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lease import ContainerUse

FIRST = ResetWish(words=("0",))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A machine whose only board was left in disorder by a container that is still here."""
    found = Scene()
    found.host.found = machine(tmp_path, "n150")
    found.leases.containers = (
        stack(
            "llama",
            domains_of(found.host.found)[0].key,
            phase="exited",
            exit_code=137,
            finished_at="2026-01-31T10:00:00Z",
        ),
    )
    return found


def dirt(scene: Scene) -> str:
    return shared(scene.world).leases[0].dirty


def test_a_reset_clears_the_board_also_while_the_container_is_still_here(scene: Scene) -> None:
    assert dirt(scene)
    found = reset(scene.world, ResetWish())
    assert scene.calls == [f"reset {node(0)}"]
    assert scene.resets.orders == [ResetOrder(nodes=(node(0),), galaxy=False)]
    assert (found.done, found.renumbered, found.plan.stacks) == (True, (), ("llama",))
    assert not dirt(scene)


def test_nodes_that_have_other_numbers_are_told(scene: Scene) -> None:
    def moves() -> None:
        moved = replace(scene.host.found.boards[0], nodes=(node(5),))
        scene.host.found = replace(scene.host.found, boards=(moved,))

    scene.resets.on_reset = moves
    [one] = reset(scene.world, FIRST).renumbered
    assert (one.before, one.after) == ((node(0),), (node(5),))


def test_a_board_that_was_taken_meanwhile_is_not_reset(scene: Scene) -> None:
    assert not plan(scene.world, FIRST).blocked
    key = domains_of(scene.host.found)[0].key
    scene.leases.containers = (stack("chat", key, phase="created"),)
    with pytest.raises(LockedError, match="is in use"):
        reset(scene.world, FIRST)
    assert scene.calls == []


def test_while_another_command_chooses_boards_nothing_is_reset(scene: Scene) -> None:
    scene.leases.busy = True
    with pytest.raises(LockedError, match="choosing boards"):
        reset(scene.world, FIRST)
    assert scene.calls == []


def fails(scene: Scene, error: TtctlError) -> None:
    def raises() -> None:
        raise error

    scene.resets.on_reset = raises


def test_a_reset_that_failed_leaves_the_board_dirty_and_one_that_never_began_as_it_was(
    scene: Scene,
) -> None:
    scene.leases.clear(domains_of(scene.host.found)[0].names)
    fails(scene, ToolMissingError("tt-smi is not installed."))
    with pytest.raises(ToolMissingError):
        reset(scene.world, FIRST)
    assert not dirt(scene)
    scene.leases.now = "2026-01-31T13:00:00Z"
    fails(scene, EngineError("It failed."))
    with pytest.raises(EngineError):
        reset(scene.world, FIRST)
    assert dirt(scene) == "its last reset failed"
    scene.leases.now = "2026-01-31T14:00:00Z"
    scene.resets.on_reset = lambda: None
    reset(scene.world, ResetWish())
    assert not dirt(scene)


def test_a_full_disk_does_not_hide_why_a_reset_failed(scene: Scene) -> None:
    fails(scene, EngineError("It failed."))
    scene.leases.fails = TtctlError("It could not be written.", why="No space left on device")
    with pytest.raises(EngineError, match="It failed"):
        reset(scene.world, FIRST)
    assert scene.reporter.notes[-1].endswith(
        "need a reset was not kept: It could not be written. No space left on device"
    )


def test_a_reset_that_a_person_stops_leaves_the_board_dirty(scene: Scene) -> None:
    scene.leases.clear(domains_of(scene.host.found)[0].names)
    scene.leases.now = "2026-01-31T13:00:00Z"

    def stopped() -> None:
        raise KeyboardInterrupt

    scene.resets.on_reset = stopped
    with pytest.raises(KeyboardInterrupt):
        reset(scene.world, FIRST)
    assert dirt(scene) == "its last reset failed"


def test_a_board_that_does_not_come_back_is_told_and_stays_dirty(
    scene: Scene, tmp_path: Path
) -> None:
    def goes() -> None:
        scene.host.found = machine(tmp_path / "after", "n150", skip=(0,))

    scene.resets.on_reset = goes
    with pytest.raises(NoDeviceError, match="came back"):
        reset(scene.world, FIRST)
    assert scene.clock.now() >= 30
    assert scene.leases.kept.spoiled


def test_a_galaxy_is_not_reset_from_a_container(tmp_path: Path) -> None:
    scene = Scene()
    scene.host.found = machine(tmp_path, "galaxy")
    with pytest.raises(UsageError, match="Galaxy"):
        plan(scene.world, ResetWish(every=True, image="acme/vllm:1"))
    assert plan(scene.world, ResetWish(words=("2",))).galaxy


def test_a_galaxy_is_not_reset_from_the_image_that_is_started_either(tmp_path: Path) -> None:
    scene = Scene()
    scene.host.found = machine(tmp_path, "galaxy")
    fails(scene, ToolMissingError("tt-smi is not installed."))
    with pytest.raises(UsageError, match="Galaxy is not reset from inside") as caught:
        reset(scene.world, ResetWish(every=True, instead="acme/vllm:1"))
    assert caught.value.next_step == "pipx install tt-smi"
    assert len(scene.calls) == 1


def test_where_neither_the_host_nor_the_image_has_the_tool_what_to_type_is_told(
    scene: Scene,
) -> None:
    fails(scene, ToolMissingError("tt-smi is not there.", evidence="docker run"))
    with pytest.raises(ToolMissingError, match="neither on this machine nor in") as caught:
        reset(scene.world, replace(FIRST, instead="acme/vllm:1"))
    assert "acme/vllm:1" in caught.value.message
    assert caught.value.evidence == "docker run"
    assert caught.value.next_step == "pipx install tt-smi"
    assert [one.image for one in scene.resets.orders] == ["", "acme/vllm:1"]
    assert scene.reporter.notes == ["tt-smi is not on this machine: that of acme/vllm:1 is used"]
    assert "its last reset failed" not in dirt(scene)


def test_the_hosts_tool_is_taken_before_an_images(scene: Scene) -> None:
    reset(scene.world, replace(FIRST, instead="acme/vllm:1"))
    assert [one.image for one in scene.resets.orders] == [""]


def test_a_virtual_machine_is_warned_of(scene: Scene) -> None:
    scene.resets.is_virtual = "its firmware names QEMU"
    assert "virtual machine" in plan(scene.world, FIRST).warnings[0]


def test_clear_takes_a_board_for_clean_and_removes_its_stale_files(scene: Scene) -> None:
    scene.leases.hugepages = ("device_0_tenstorrent", "device_7_tenstorrent", "other")
    found = to_clear(scene.world, ResetWish())
    assert (found.done, found.hugepages) == (False, ("device_0_tenstorrent",))
    assert dirt(scene)
    assert clear(scene.world, ResetWish()).boards == found.boards
    assert scene.calls == ["remove device_0_tenstorrent"]
    assert not dirt(scene)


def test_stale_files_alone_are_cleared_without_a_word_on_boards(scene: Scene) -> None:
    scene.leases.containers = ()
    scene.leases.hugepages = ("device_0_tenstorrent",)
    found = clear(scene.world, ResetWish())
    assert (found.boards, found.hugepages) == ((), ("device_0_tenstorrent",))


@pytest.mark.parametrize(
    ("holder", "said", "release"),
    [
        pytest.param(
            stack("chat", paths=(node(0),), owner=OWNER),
            "stack chat (container ttctl-chat-vllm-1)",
            "ttctl down chat",
            id="a stack",
        ),
        pytest.param(
            container("box", privileged=True),
            "container box, which is privileged",
            "docker stop -t 120 box",
            id="a container",
        ),
    ],
)
def test_a_board_that_somebody_has_is_not_taken_for_clean_and_its_files_are_left_alone(
    scene: Scene, holder: ContainerUse, said: str, release: str
) -> None:
    scene.leases.hugepages = ("device_0_tenstorrent",)
    scene.leases.containers += (holder,)
    for ask in (to_clear, clear):
        with pytest.raises(HeldError, match="count as clean is in use") as caught:
            ask(scene.world, FIRST)
        assert f"held by {said}." in caught.value.evidence
        assert caught.value.next_step == release
        assert caught.value.exit_code == 75
    assert dirt(scene)
    assert scene.calls == []


def test_a_board_whose_users_cannot_all_be_seen_is_taken_for_clean(scene: Scene) -> None:
    scene.leases.closed = "this user may not talk to the container engine"
    scene.leases.hugepages = ("device_0_tenstorrent",)
    found = clear(scene.world, FIRST)
    assert (len(found.boards), found.hugepages) == (1, ())
