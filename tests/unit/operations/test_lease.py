# SPDX-License-Identifier: Apache-2.0
"""Does a stack get its boards as they are at this moment, and is no dirty one forgotten?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.fakes import OWNER, Scene, container
from tests.unit.rules.leasing import machine, node, stack

from ttctl.errors import BadFileError, EngineError, LockedError, TtctlError
from ttctl.operations import stacks
from ttctl.operations.devices import Wish, info, look
from ttctl.operations.lease import shared, take
from ttctl.rules.domains import domains_of

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lease import Leased


def scene_of(root: Path, device: str) -> Scene:
    scene = Scene()
    scene.host.found = machine(root, device)
    return scene


def taken(scene: Scene, device: str, name: str, *asked: str) -> Leased:
    world = scene.world
    with world.leases.guard(timeout_s=0, reporter=world.reporter):
        return take(world, device, name, asked)


@pytest.mark.parametrize("device", list(machines.KINDS))
def test_a_stack_gets_every_node_of_its_boards_one_by_one(tmp_path: Path, device: str) -> None:
    kind = machines.KINDS[device]
    found = taken(scene_of(tmp_path, device), kind.forms[0], "llama")
    assert found.nodes == tuple(node(at) for at in range(kind.boards * kind.local))
    assert found.values == tuple(f"{one}:{one}" for one in found.nodes)
    assert len(found.boards) == kind.boards
    assert not found.dirty


def test_a_container_that_was_made_and_not_started_keeps_others_off(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "p300x2")
    first = taken(scene, "p300", "one")
    made = stack("one", *first.boards, phase="created", paths=first.nodes)
    scene.leases.containers = (made,)
    second = taken(scene, "p300", "two")
    assert not set(first.boards) & set(second.boards)
    assert taken(scene, "p300", "one").boards == first.boards
    scene.leases.containers += (stack("two", *second.boards),)
    with pytest.raises(LockedError, match="No boards for a p300 are free"):
        taken(scene, "p300", "three")


def test_nodes_are_those_that_the_boards_have_now(tmp_path: Path) -> None:
    scene = scene_of(tmp_path / "before", "n150x4")
    first = taken(scene, "n150", "llama", "2")
    # After a reset the board that was the third is the first.
    scene.host.found = machine(tmp_path / "after", "n150x4", skip=(0, 1))
    again = taken(scene, "n150", "llama", *first.boards)
    assert again.boards == first.boards
    assert (first.nodes, again.nodes) == ((node(2),), (node(0),))


def killed(scene: Scene, *places: int) -> None:
    """Let a container that had boards have been killed."""
    keys = [domains_of(scene.host.found)[at].key for at in places]
    ended = {"exit_code": 137, "finished_at": "2026-01-31T10:00:00Z"}
    scene.leases.containers = (stack("llama", *keys, phase="exited", **ended),)


def test_a_killed_containers_boards_are_free_and_dirty_also_when_it_is_gone(
    tmp_path: Path,
) -> None:
    scene = scene_of(tmp_path, "n150")
    killed(scene, 0)
    said = "container ttctl-llama-vllm-1 was killed (exit code 137)"
    assert taken(scene, "n150", "llama").dirty == (said,)
    scene.leases.containers = ()
    assert taken(scene, "n150", "other").dirty == (said,)
    scene.leases.clear(domains_of(scene.host.found)[0].names)
    assert taken(scene, "n150", "other").dirty == ()


def test_a_stack_without_boards_needs_none(tmp_path: Path) -> None:
    assert taken(scene_of(tmp_path, "n150"), "cpu", "llama").boards == ()


def test_down_stops_first_and_keeps_how_the_engine_ended(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "n150")
    killed(scene, 0)
    key = domains_of(scene.host.found)[0].key
    scene.engine.states["ttctl-llama-vllm-1"] = container("vllm", boards=(key,))
    stacks.down(scene.world, "llama", volumes=False, dry_run=False, timeout_s=5)
    assert scene.calls == ["stop llama in 5 s each within 125 s", "down within 5 s"]
    scene.leases.containers = ()
    assert shared(scene.world).leases[0].dirty


def test_down_removes_nothing_where_the_engine_could_not_be_stopped(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "n150")
    scene.engine.states["ttctl-llama-vllm-1"] = container("vllm", boards=("b",))
    scene.launcher.asked = (1, ())
    with pytest.raises(EngineError, match="could not be stopped") as caught:
        stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert caught.value.why == "It said nothing."
    assert scene.calls == ["stop llama within 240 s"]


def test_down_of_a_stack_without_boards_stops_as_ever() -> None:
    scene = Scene()
    scene.engine.states["ttctl-llama-vllm-1"] = container("vllm")
    stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert scene.calls == ["down"]


def test_looking_at_the_boards_names_stack_container_and_dirt(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "n150x4")
    killed(scene, 1)
    key = domains_of(scene.host.found)[0].key
    scene.leases.containers += (stack("chat", key, owner=OWNER),)
    looked = look(scene.world, Wish())
    first, second, *_ = looked.system.boards
    assert (first.free, first.holders) == (
        "held",
        ("stack chat (container ttctl-chat-vllm-1)",),
    )
    assert (second.free, second.dirty) == (
        "free",
        "container ttctl-llama-vllm-1 was killed (exit code 137)",
    )
    assert info(looked, "1").boards[0].board == second
    assert scene.leases.kept.spoiled[0].stack == "llama"


def test_containers_that_cannot_be_seen_are_noted_and_no_board_is_free(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "n150")
    scene.leases.closed = "this user may not talk to the container engine"
    looked = look(scene.world, Wish())
    assert looked.system.boards[0].free == "unknown"
    assert looked.notes[0].startswith("Which containers have a board is not known: this user")


def test_what_cannot_be_kept_is_said_all_the_same(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "n150")
    killed(scene, 0)
    scene.leases.fails = TtctlError("The disk is full.")
    assert look(scene.world, Wish()).system.boards[0].dirty


def test_a_damaged_file_ends_no_listing_but_no_board_is_taken(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "n150")
    scene.leases.damaged = BadFileError("The file is damaged.", next_step="rm boards.json")
    looked = look(scene.world, Wish())
    assert looked.notes == ("The file is damaged. To put it right: rm boards.json",)
    with pytest.raises(BadFileError):
        taken(scene, "n150", "llama")
