# SPDX-License-Identifier: Apache-2.0
"""Does a stack end in the steps that are told, and is what a stop ended told from what failed?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import container

from ttctl.rules.to_end import is_stopped, steps_to_down, steps_to_stop

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState

RUNNING = (container("chat"), container("gateway"), container("vllm"))
BEFORE, DOOR, AFTER = (f"2026-01-31T12:00:0{second}.5Z" for second in (1, 2, 3))
ENDED = tuple(replace(one, state="exited", health="", finished_at=DOOR) for one in RUNNING)


def steps(made: tuple[ContainerState, ...], *, timeout_s: int | None = None) -> list[str]:
    plan = steps_to_stop("llama", made, timeout_s=timeout_s)
    return [f"{one.verb} {one.subject}: {one.reason}" for one in plan.steps]


def with_engine(**changes: Any) -> tuple[ContainerState, ...]:  # noqa: ANN401
    return (*ENDED[:2], replace(ENDED[2], **changes))


def test_down_removes_what_is_there_and_says_that_it_is_stopped_first() -> None:
    found = steps_to_down("llama", RUNNING[1:]).steps
    assert [(step.verb, step.subject) for step in found] == [
        ("remove", "gateway"),
        ("remove", "vllm"),
    ]
    assert all("stopped first" in step.reason for step in found)


def test_down_of_what_has_ended_does_not_say_that_it_is_stopped() -> None:
    assert [one.reason for one in steps_to_down("llama", ENDED).steps] == ["exited"] * 3


def test_down_of_nothing_is_skipped() -> None:
    assert steps_to_down("llama", ()).changes == ()


def test_a_stop_goes_from_the_door_to_the_rest_and_says_what_time_each_has() -> None:
    own = "running; it has its whole grace time"
    assert steps(RUNNING) == [f"stop {one}: {own}" for one in ("gateway", "chat", "vllm")]
    assert steps(RUNNING, timeout_s=5)[0] == "stop gateway: running; it has 5 s"


def test_a_stop_passes_over_what_does_not_run() -> None:
    mixed = (*ENDED[:1], *RUNNING[1:])
    assert steps(mixed)[1] == "skip chat: exited: it does not run"
    assert [one.subject for one in steps_to_stop("llama", mixed).changes] == ["gateway", "vllm"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param((), "no container of this stack is here", id="nothing"),
        pytest.param(ENDED, "it is stopped already: no container of it runs", id="ended"),
        pytest.param(
            with_engine(state="created"),
            "it is stopped already: no container of it runs; `ttctl down llama` removes what was"
            " made and never started",
            id="one was never started",
        ),
    ],
)
def test_a_stop_of_what_does_not_run_does_nothing_and_says_so(
    made: tuple[ContainerState, ...], said: str
) -> None:
    assert steps(made) == [f"skip llama: {said}"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exit_code": 0}, id="by itself"),
        pytest.param({"exit_code": 130}, id="by SIGINT"),
        pytest.param({"exit_code": 143}, id="by SIGTERM"),
        pytest.param({"exit_code": 137, "finished_at": AFTER}, id="killed after the door"),
        pytest.param({"exit_code": 137, "finished_at": DOOR}, id="killed with the door"),
    ],
)
def test_what_a_stop_ends_is_stopped(changes: dict[str, Any]) -> None:
    assert is_stopped(with_engine(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exit_code": 1}, id="it failed"),
        pytest.param({"exit_code": 139, "finished_at": AFTER}, id="it crashed"),
        pytest.param({"exit_code": 137, "finished_at": BEFORE}, id="killed while the door ran"),
        pytest.param(
            {"exit_code": 137, "finished_at": AFTER, "oom_killed": True}, id="for its memory"
        ),
        pytest.param({"exit_code": 0, "oom_killed": True}, id="a child of it for its memory"),
        pytest.param({"state": "running"}, id="it runs"),
        pytest.param({"state": "created"}, id="it was never started"),
        pytest.param({"state": "dead"}, id="it could not be removed"),
    ],
)
def test_what_ended_otherwise_is_not_taken_for_stopped(changes: dict[str, Any]) -> None:
    assert not is_stopped(with_engine(**changes))


def test_without_a_door_nobody_knows_who_killed() -> None:
    killed = replace(ENDED[2], exit_code=137, finished_at=AFTER)
    assert not is_stopped((killed,))
    assert is_stopped((replace(killed, exit_code=143),))
    assert not is_stopped(())
