# SPDX-License-Identifier: Apache-2.0
"""Is what cannot be seen never told as something that is down?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import pytest
from tests.unit.fakes import Scene

from ttctl.adapters.docker_errors import unreachable
from ttctl.errors import EngineError, PrivilegeError, TtctlError
from ttctl.model.spec import Request
from ttctl.operations import logs, stacks
from ttctl.operations.doctor import doctor
from ttctl.operations.stack_to_end import stack_to_end
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSALS = {
    "away": unreachable("cannot connect to unix:///nowhere", {}),
    "hangs": unreachable("It did not answer within 20 s.", {}),
    "denied": unreachable("permission denied on the socket", {}),
}

VERBS: dict[str, Callable[[Scene], object]] = {
    "status": lambda scene: stacks.status(scene.world, "llama"),
    "status without a word": lambda scene: stacks.status(scene.world, None),
    "ps": lambda scene: scene.world.engine.containers(None),
    "down": lambda scene: stacks.down(scene.world, "llama", volumes=False, dry_run=False),
    "down --volumes": lambda scene: stacks.down(scene.world, "llama", volumes=True, dry_run=False),
    "down --dry-run": lambda scene: stacks.down(scene.world, "llama", volumes=False, dry_run=True),
    "which to end": lambda scene: stack_to_end(scene.world, "llama"),
    "wait": lambda scene: stacks.wait(scene.world, "llama", timeout_s=60),
    "logs": lambda scene: logs.logs(
        scene.world, "llama", tail=None, since=None, timestamps=False, follow=False
    ),
    "logs --explain": lambda scene: logs.explained(scene.world, "llama"),
}


@pytest.fixture
def scene() -> Scene:
    """A stack that is up."""
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.taken()
    return scene


def refuse(scene: Scene, error: TtctlError) -> None:
    def refused(_: str | None) -> NoReturn:
        raise error

    scene.engine.containers = refused  # type: ignore[method-assign]


@pytest.mark.parametrize("why", REFUSALS)
@pytest.mark.parametrize("verb", VERBS)
def test_an_engine_that_cannot_be_asked_is_the_answer_and_nothing_is_changed(
    scene: Scene, verb: str, why: str
) -> None:
    refuse(scene, REFUSALS[why])
    with pytest.raises(TtctlError) as caught:
        VERBS[verb](scene)
    assert caught.value is REFUSALS[why]
    assert scene.taken() == []
    assert scene.store.has_key("llama")
    assert scene.store.stacks() == ("llama",)


def test_one_that_is_away_hangs_or_refuses_is_told_apart() -> None:
    away, hangs, denied = REFUSALS.values()
    assert away.message == "No container engine answers."
    assert hangs.message == "The container engine hangs."
    assert isinstance(hangs, EngineError)
    assert isinstance(denied, PrivilegeError)
    library = unreachable("unix://x: UnixHTTPConnectionPool: Read timed out. (read timeout=20)", {})
    assert library.message == hangs.message
    assert "nothing is known of any stack" in hangs.why
    assert len({one.next_step for one in (away, hangs, denied)}) == 3


def test_an_engine_that_goes_while_a_wait_lasts_is_the_reason_and_no_end(scene: Scene) -> None:
    scene.engine.set_state("vllm", health="starting")
    scene.gateway.is_healthy = False

    def look() -> None:
        if scene.clock.now() > 3:
            refuse(scene, REFUSALS["hangs"])

    scene.gateway.on_look = look
    with pytest.raises(EngineError, match="The container engine hangs") as caught:
        stacks.wait(scene.world, "llama", timeout_s=3600)
    assert "ended" not in caught.value.message


@pytest.mark.parametrize("named", [None, "llama"])
def test_doctor_says_that_no_engine_answers_and_judges_no_stack(
    scene: Scene, named: str | None
) -> None:
    engine = replace(scene.vitals.the_engine, version="", error="It did not answer within 5 s.")
    scene.vitals.the_engine = engine
    refuse(scene, REFUSALS["away"])
    checks = {one.name: one for one in doctor(scene.world, named)[1].checks}
    assert checks["docker"].verdict == "failed"
    assert "did not answer within 5 s" in checks["docker"].evidence
    for name in ("services", "containers"):
        assert (checks[name].verdict, checks[name].summary) == ("skipped", "no engine answers")
    said = " ".join(f"{one.summary} {one.evidence}" for one in checks.values())
    for word in ("stopped", "not started", " down"):
        assert word not in said


def test_an_engine_that_is_slow_to_serve_is_starting_and_not_ended(scene: Scene) -> None:
    scene.engine.set_state("vllm", health="starting")
    scene.gateway.is_healthy = False
    assert stacks.status(scene.world, "llama").state == "starting"
    scene.gateway.on_look = lambda: setattr(scene.gateway, "is_healthy", scene.clock.now() > 500)
    stacks.wait(scene.world, "llama", timeout_s=600)
    assert scene.clock.now() > 500
