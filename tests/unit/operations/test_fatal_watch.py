# SPDX-License-Identifier: Apache-2.0
"""Does a fatal line end a wait within two seconds, and nothing that only looks like one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import EngineError, WaitError
from ttctl.model.spec import Request
from ttctl.operations import stacks
from ttctl.operations.fatal_watch import FatalWatch
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEMORY = "RuntimeError: To serve at least one request (0.1 GiB) KV cache is needed"
VAGUE = "TT_FATAL @ somewhere.cpp:1: a condition"
EXACT = "Out of Memory: Not enough space to allocate 4096 B DRAM buffer"
AT_S = 10.0


@pytest.fixture
def scene() -> Scene:
    """A stack whose engine is starting, and does not answer."""
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.engine.set_state("vllm", health="starting", started_at="2026-01-31T10:00:00.123456789Z")
    scene.gateway.is_healthy = False
    return scene


def says(scene: Scene, *lines: str, at_s: float = AT_S) -> None:
    """Make the engine print lines, once the time has come."""
    vllm = next(one for one in scene.engine.containers("llama") if one.service == "vllm")

    def look() -> None:
        if scene.clock.now() >= at_s:
            scene.engine.logs[vllm.container_id] = lines

    scene.gateway.on_look = look


def test_a_fatal_line_ends_a_wait_within_two_seconds(scene: Scene) -> None:
    says(scene, "INFO: all is well", MEMORY)
    with pytest.raises(EngineError, match="'vllm' will not come up") as caught:
        stacks.wait(scene.world, "llama", timeout_s=3600)
    assert not isinstance(caught.value, WaitError)
    assert caught.value.evidence == MEMORY
    assert caught.value.next_step
    assert AT_S <= scene.clock.now() < AT_S + 2


def test_a_vague_line_waits_for_a_better_one_and_no_longer(scene: Scene) -> None:
    says(scene, VAGUE)
    with pytest.raises(EngineError, match="will not come up") as caught:
        stacks.wait(scene.world, "llama", timeout_s=3600)
    assert caught.value.evidence == VAGUE
    assert scene.clock.now() < AT_S + 2


def test_the_better_line_is_the_one_that_is_told(scene: Scene) -> None:
    says(scene, VAGUE, EXACT)
    with pytest.raises(EngineError) as caught:
        stacks.wait(scene.world, "llama", timeout_s=3600)
    assert caught.value.evidence == EXACT


def test_what_was_said_before_the_last_start_is_over(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []

    def stream(
        names: Mapping[str, str],
        *,
        tail: int | None,
        since: int | None,
        timestamps: bool,
        follow: bool,
    ) -> Iterator[tuple[str, str]]:
        asked.append(since)
        assert (tail, timestamps, follow, len(names)) == (400, False, False, 1)
        yield from ()

    monkeypatch.setattr(scene.engine, "stream", stream)
    FatalWatch(scene.world, scene.store.locks["llama"]).look()
    assert asked == [1769853600]


def test_a_service_that_works_is_not_read(scene: Scene) -> None:
    scene.engine.set_state("vllm", health="healthy")
    says(scene, MEMORY, at_s=0)
    with pytest.raises(WaitError, match="did not answer within 5 s"):
        stacks.wait(scene.world, "llama", timeout_s=5)


def test_a_warning_ends_nothing(scene: Scene) -> None:
    says(scene, f"WARNING {MEMORY}", at_s=0)
    with pytest.raises(WaitError, match="did not answer within 5 s"):
        stacks.wait(scene.world, "llama", timeout_s=5)
