# SPDX-License-Identifier: Apache-2.0
"""Does only a real completion count as ready, and does every wait end?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import EngineError, TooLongError, TtctlError, WaitError
from ttctl.model.spec import Request
from ttctl.operations.ready import READY_S, await_ready
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.lock import Lock
    from ttctl.model.talk import Completion

LLAMA = Request(model="llama")


@pytest.fixture
def scene() -> Scene:
    """A stack that is up, and whose next `up` only looks."""
    scene = Scene()
    up(scene.world, LLAMA)
    return scene


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"is_healthy": False}, "/health does not answer 200", id="not healthy"),
        pytest.param({"lists": ("other",)}, "does not serve 'acme/Small-1B'", id="another model"),
        pytest.param({"fails": EngineError("It broke.")}, "It broke.", id="no completion"),
    ],
)
def test_a_stack_that_never_answers_ends_the_wait_with_124_and_the_last_reason(
    scene: Scene, changes: dict[str, Any], why: str
) -> None:
    for name, value in changes.items():
        setattr(scene.gateway, name, value)
    with pytest.raises(WaitError) as caught:
        up(scene.world, LLAMA)
    assert caught.value.exit_code == 124
    assert why in caught.value.why
    assert scene.clock.now() == pytest.approx(READY_S, abs=1)
    assert caught.value.next_step == "ttctl logs llama --tail 100"


def test_a_stack_that_answers_late_is_ready(scene: Scene) -> None:
    scene.gateway.on_look = lambda: setattr(
        scene.gateway, "is_healthy", scene.clock.now() > READY_S - 1
    )
    up(scene.world, LLAMA)
    assert scene.clock.now() > READY_S - 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"exit_code": 1}, "Exit code 1.", id="ended"),
        pytest.param(
            {"exit_code": 137, "oom_killed": True},
            "Exit code 137. It used more memory than its limit.",
            id="killed for its memory",
        ),
        pytest.param(
            {"exit_code": 137, "oom_killed": True, "memory_bytes": 2560 << 20},
            "Exit code 137. It used more memory than its limit of 2560 MiB.",
            id="killed for its memory, of which the limit is known",
        ),
    ],
)
def test_a_container_that_ends_ends_the_wait_with_5_and_its_last_lines(
    scene: Scene, changes: dict[str, Any], why: str
) -> None:
    vllm = next(one for one in scene.engine.containers("llama") if one.service == "vllm")
    scene.engine.logs[vllm.container_id] = tuple(f"line {number}" for number in range(100))

    def look() -> None:
        scene.gateway.is_healthy = False
        scene.engine.set_state("vllm", state="exited", **changes)

    scene.gateway.on_look = look
    with pytest.raises(EngineError) as caught:
        up(scene.world, LLAMA)
    assert caught.value.exit_code == 5
    assert caught.value.message == "The service 'vllm' ended while ttctl waited for it."
    assert caught.value.why == why
    assert caught.value.evidence.splitlines()[-1] == "line 99"
    assert scene.clock.now() < 1


def test_a_port_that_this_stack_does_not_publish_is_never_believed(scene: Scene) -> None:
    scene.engine.set_state("gateway", ports=())
    asked = len(scene.gateway.asked)
    with pytest.raises(WaitError, match="did not answer") as caught:
        up(scene.world, LLAMA)
    assert "Port 8000 is not published by this stack" in caught.value.why
    assert len(scene.gateway.asked) == asked


def test_a_key_that_cannot_be_read_ends_the_wait_at_once(scene: Scene) -> None:
    def key(stack: str) -> str:
        raise TtctlError(f"The stack {stack!r} has no key that can be read.")

    scene.store.key = key  # type: ignore[method-assign]
    with pytest.raises(TtctlError, match="no key"):
        up(scene.world, LLAMA)
    assert scene.clock.now() == 0


def locked(scene: Scene) -> Lock:
    lock = scene.world.store.lock("llama")
    assert lock is not None
    return lock


def prompts(scene: Scene) -> list[str]:
    return [messages[0]["content"] for _, _, messages in scene.gateway.asked]


def test_an_engine_that_captures_traces_is_asked_briefly_and_at_length(scene: Scene) -> None:
    scene.gateway.asked.clear()
    await_ready(scene.world, locked(scene), quick=False, wait_s=3600, warm_tokens=1024)
    short, long = prompts(scene)
    assert short == "Hello"
    assert long.split() == ["a"] * 1024
    assert scene.reporter.steps[-2:] == [
        "Wait for a real completion",
        "Warm up with about 1024 tokens: the engine captures traces",
    ]


def test_an_engine_that_was_not_started_now_is_warm(scene: Scene) -> None:
    scene.gateway.asked.clear()
    await_ready(scene.world, locked(scene), quick=True, wait_s=3600, warm_tokens=1024)
    assert prompts(scene) == ["Hello"]


def test_a_first_prompt_that_captures_traces_gets_the_whole_wait(scene: Scene) -> None:
    scene.gateway.on_look = lambda: setattr(
        scene.gateway, "is_healthy", scene.clock.now() > READY_S * 3
    )
    await_ready(scene.world, locked(scene), quick=False, wait_s=3600, warm_tokens=9)
    assert scene.clock.now() > READY_S * 3


def test_a_long_prompt_that_does_not_fit_is_said_and_no_failure(scene: Scene) -> None:
    complete = scene.gateway.complete

    def refuse(port: int, key: str, *, model: str, prompt: str) -> Completion:
        if prompt != "Hello":
            raise TooLongError("The prompt is too long.", why="It has 9 tokens.")
        return complete(port, key, model=model, prompt=prompt)

    scene.gateway.complete = refuse  # type: ignore[method-assign]
    await_ready(scene.world, locked(scene), quick=False, wait_s=60, warm_tokens=9)
    assert scene.reporter.notes[-1] == "not warmed up for long prompts: It has 9 tokens."


@pytest.mark.parametrize("engine", ["media", "forge"])
def test_an_engine_without_text_is_ready_when_its_health_says_so(scene: Scene, engine: str) -> None:
    lock = replace(locked(scene), engine=engine)
    scene.gateway.asked.clear()
    scene.gateway.lists = ()
    await_ready(scene.world, lock, quick=False, wait_s=60, warm_tokens=0)
    assert prompts(scene) == []
    assert scene.reporter.steps[-1] == "Wait for the engine's health"
    scene.gateway.is_healthy = False
    with pytest.raises(WaitError, match="did not answer"):
        await_ready(scene.world, lock, quick=False, wait_s=60, warm_tokens=0)
