# SPDX-License-Identifier: Apache-2.0
"""Does only a real completion count as ready, and does every wait end?"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import EngineError, TooLongError, TtctlError, WaitError
from ttctl.model.spec import Request
from ttctl.operations.ready import READY_S, await_ready, wait_for
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ttctl.model.lock import Lock
    from ttctl.model.talk import Completion
    from ttctl.model.tls import At

LLAMA = Request(model="llama")
MEMORY = "RuntimeError: To serve at least one request (0.1 GiB) KV cache is needed"
SAID_S = 5.0
"""When it is printed."""


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
        pytest.param({"exit_code": 1}, "vllm ended with exit code 1.", id="ended"),
        pytest.param(
            {"exit_code": 137, "oom_killed": True},
            "vllm was killed: it used more memory than its limit.",
            id="killed for its memory",
        ),
        pytest.param(
            {"exit_code": 137, "oom_killed": True, "memory_bytes": 2560 << 20},
            "vllm was killed: it used more memory than its limit of 2560 MiB.",
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


@pytest.mark.parametrize(
    ("changes", "said", "cause", "step"),
    [
        pytest.param(
            {"state": "paused", "health": ""},
            "was paused",
            "vllm is paused: `docker pause` froze its processes.",
            "ttctl up llama",
            id="paused",
        ),
        pytest.param(
            {"state": "restarting", "exit_code": 3},
            "was restarting",
            "vllm ends and is started again and again; the last time with exit code 3.",
            "ttctl logs llama vllm --tail 100",
            id="crash-loop",
        ),
        pytest.param(
            {"state": "exited", "exit_code": 137},
            "ended",
            "vllm was killed from outside (SIGKILL, exit code 137), and not by its memory limit.",
            "ttctl up llama",
            id="killed",
        ),
    ],
)
def test_a_service_that_stops_working_is_told_by_the_known_states(
    scene: Scene, changes: dict[str, Any], said: str, cause: str, step: str
) -> None:
    scene.gateway.is_healthy = False
    scene.engine.set_state("vllm", **changes)
    with pytest.raises(EngineError) as caught:
        wait_for(scene.world, locked(scene), limit_s=60)
    assert caught.value.message == f"The service 'vllm' {said} while ttctl waited for it."
    assert (caught.value.why, caught.value.next_step) == (cause, step)
    assert (caught.value.exit_code, scene.clock.now()) == (5, 0)


def test_a_service_that_ended_is_told_by_its_log_where_a_line_is_known(scene: Scene) -> None:
    scene.gateway.is_healthy = False
    scene.engine.set_state("vllm", state="exited", health="", exit_code=1)
    vllm = next(one for one in scene.engine.containers("llama") if one.service == "vllm")
    scene.engine.logs[vllm.container_id] = (MEMORY, "the end")
    with pytest.raises(EngineError, match="'vllm' ended while") as caught:
        wait_for(scene.world, locked(scene), limit_s=60)
    assert caught.value.evidence.splitlines() == [MEMORY, "the end"]
    assert caught.value.next_step == "ttctl up llama --max-model-len 2048"


@pytest.fixture
def hangs(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Callable[[], None]], None]]:
    """An engine that takes a completion and never answers, while time passes.

    What is returned takes what else happens then.
    """
    monkeypatch.setattr("ttctl.operations.ready.POLL_S", 0.001)
    over = threading.Event()
    meanwhile: list[Callable[[], None]] = []

    def ask() -> None:
        while not over.wait(0.005):
            scene.clock.sleep(0.05)
            for one in meanwhile:
                one()

    scene.gateway.on_ask = ask
    yield meanwhile.append
    over.set()


@pytest.mark.usefixtures("hangs")
def test_an_engine_that_takes_a_question_and_never_answers_is_not_waited_for_beyond_the_limit(
    scene: Scene,
) -> None:
    with pytest.raises(WaitError, match="did not answer within 3 s") as caught:
        wait_for(scene.world, locked(scene), limit_s=3)
    assert 3 <= scene.clock.now() < 4
    assert caught.value.why == (
        "POST /v1/completions was asked 3 s ago. "
        "It has no answer: the engine hangs, or needs longer than that."
    )
    assert scene.gateway.limits[-1] == 3


def test_a_fatal_line_ends_a_wait_within_two_seconds_while_a_completion_hangs(
    scene: Scene, hangs: Callable[[Callable[[], None]], None]
) -> None:
    vllm = next(one for one in scene.engine.containers("llama") if one.service == "vllm")
    scene.engine.logs[vllm.container_id] = ("WARNING of earlier days",)

    def die() -> None:
        if scene.clock.now() >= SAID_S:
            scene.engine.logs[vllm.container_id] = ("WARNING of earlier days", MEMORY)

    hangs(die)
    with pytest.raises(EngineError, match="'vllm' will not come up") as caught:
        wait_for(scene.world, locked(scene), limit_s=60)
    assert caught.value.evidence == MEMORY
    assert SAID_S <= scene.clock.now() < SAID_S + 2


def test_an_engine_that_is_paused_while_it_should_answer_ends_the_wait(
    scene: Scene, hangs: Callable[[Callable[[], None]], None]
) -> None:
    hangs(lambda: scene.engine.set_state("vllm", state="paused"))
    with pytest.raises(EngineError, match="'vllm' was paused"):
        wait_for(scene.world, locked(scene), limit_s=60)
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

    def refuse(at: At, key: str, *, model: str, prompt: str, limit_s: float) -> Completion:
        if prompt != "Hello":
            raise TooLongError("The prompt is too long.", why="It has 9 tokens.")
        return complete(at, key, model=model, prompt=prompt, limit_s=limit_s)

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
