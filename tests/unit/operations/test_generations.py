# SPDX-License-Identifier: Apache-2.0
"""Is a state of a stack kept when it became ready, once, and is it known which one serves?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import FakeLauncher, Scene

from ttctl.errors import EngineError, TtctlError
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations import plan, stacks
from ttctl.operations.generations import history
from ttctl.operations.up import up

LLAMA = Request(model="llama")


def numbers(scene: Scene) -> list[int]:
    return [one.number for one in history(scene.world, "llama")]


def limited(tokens: int) -> Request:
    return replace(LLAMA, max_model_len=tokens)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    up(made.world, LLAMA)
    return made


def old(scene: Scene) -> None:
    """Make the stack one from before generations were kept."""
    scene.generations.states.clear()
    scene.generations.begun.clear()


def test_the_second_up_of_a_stack_makes_no_generation(scene: Scene) -> None:
    up(scene.world, LLAMA)
    (one,) = history(scene.world, None)
    assert (one.number, one.why, one.serves) == (1, "up", True)
    assert (one.model, one.device, one.engine) == ("acme/Small-1B", "cpu", "vllm")
    assert one.revision == "1" * 40
    assert any(image.startswith("ttctl/vllm-cpu") for image in one.images)


def test_each_change_makes_one_and_the_last_three_are_kept(scene: Scene) -> None:
    up(scene.world, limited(1024))
    assert numbers(scene) == [2, 1]
    up(scene.world, limited(1000))
    up(scene.world, limited(512))
    rows = history(scene.world, "llama")
    assert [(one.number, one.serves) for one in rows] == [(4, True), (3, False), (2, False)]


def test_what_was_asked_for_before_is_part_of_the_next_ones_request(scene: Scene) -> None:
    up(scene.world, limited(1024))
    up(scene.world, replace(LLAMA, max_num_seqs=2))
    asked = scene.generations.kept("llama")[-1].request
    assert (asked.max_model_len, asked.max_num_seqs) == (1024, 2)


def test_a_stack_that_is_down_serves_nothing_and_keeps_its_generations(scene: Scene) -> None:
    stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    assert [one.serves for one in history(scene.world, "llama")] == [False]
    up(scene.world, LLAMA)
    assert [(one.number, one.serves) for one in history(scene.world, "llama")] == [(1, True)]


def test_a_stack_of_before_gets_its_first_generation_when_it_is_changed(scene: Scene) -> None:
    old(scene)
    up(scene.world, LLAMA)
    assert numbers(scene) == []
    up(scene.world, limited(1024))
    first, second = scene.generations.kept("llama")
    assert (first.why, first.lock.max_model_len) == ("found", 4096)
    assert (second.why, second.lock.max_model_len) == ("up", 1024)


def test_lock_too_keeps_what_a_stack_of_before_was(scene: Scene) -> None:
    old(scene)
    plan.lock(scene.world, limited(1024), upgrade=False)
    (first,) = scene.generations.kept("llama")
    assert first.lock.max_model_len == 4096
    assert [one.serves for one in history(scene.world, "llama")] == [False]


def test_what_never_became_ready_is_no_generation() -> None:
    scene = Scene()
    scene.launcher.fails = EngineError("It ended.")
    with pytest.raises(EngineError):
        up(scene.world, LLAMA)
    scene.launcher.fails = None
    up(scene.world, limited(1024))
    assert [one.lock.max_model_len for one in scene.generations.kept("llama")] == [1024]


def test_what_was_only_locked_is_no_generation() -> None:
    scene = Scene()
    plan.lock(scene.world, LLAMA, upgrade=False)
    up(scene.world, limited(1024))
    assert [one.why for one in scene.generations.kept("llama")] == ["up"]


def test_what_nobody_waited_for_is_kept_by_the_next_up_that_finds_it_ready(scene: Scene) -> None:
    up(scene.world, limited(1024), how=How(wait=False))
    assert numbers(scene) == [1]
    assert not up(scene.world, LLAMA).changed
    assert numbers(scene) == [2, 1]


@pytest.mark.parametrize("at", ["write", "start", "keep"])
def test_an_up_that_was_killed_is_finished_by_the_next_one(scene: Scene, at: str) -> None:
    kill = KeyboardInterrupt()
    launcher = scene.launcher
    if at == "keep":
        scene.generations.fails = kill
    elif at == "start":
        scene.launcher.fails = kill  # type: ignore[assignment]
    else:
        scene.launcher = Killed(scene)
    with pytest.raises(KeyboardInterrupt):
        up(scene.world, limited(1024))
    assert numbers(scene) == [1]
    scene.generations.fails, launcher.fails, scene.launcher = None, None, launcher
    up(scene.world, LLAMA)
    rows = history(scene.world, "llama")
    assert [(one.number, one.serves) for one in rows] == [(2, True), (1, False)]


class Killed(FakeLauncher):
    """Is killed before it does anything."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)

    def up(self, *_: object, **__: object) -> None:
        raise KeyboardInterrupt


def test_a_disk_that_is_full_does_not_fail_what_is_up(scene: Scene) -> None:
    scene.generations.fails = TtctlError("It could not be kept.", why="No space left.")
    assert up(scene.world, limited(1024)).changed
    assert scene.reporter.notes[-1] == (
        "llama is up, and no generation was made of it: It could not be kept. No space left."
    )
