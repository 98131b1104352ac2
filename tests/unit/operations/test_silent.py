# SPDX-License-Identifier: Apache-2.0
"""Is a stack that does not answer yet told with what it does, and for how long that usually is?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import BadFileError, EngineError
from ttctl.model.spec import Request
from ttctl.model.starts import Started
from ttctl.operations.silent import silent
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.lock_summary import LockSummary

NO_ANSWER = EngineError("It does not answer.", next_step="ttctl status")
LOADS = "INFO [tt_model_runner.py:95] Loading TT model..."


@pytest.fixture
def scene() -> Scene:
    """A stack whose engine is starting, with no start before it."""
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.engine.set_state("vllm", health="starting")
    scene.starts.kept = ()
    return scene


def test_it_says_what_it_probably_does_and_how_long_that_took_here(scene: Scene) -> None:
    vllm = next(one for one in scene.engine.containers("llama") if one.service == "vllm")
    scene.engine.logs[vllm.container_id] = (LOADS, "a line of any kind")
    for seconds in (60.0, 720.0, 840.0):
        scene.starts.keep(Started(key="acme/Small-1B cpu vllm own", first=False, seconds=seconds))
    scene.starts.keep(Started(key="acme/Small-1B n150 vllm own", first=False, seconds=9.0))
    said = silent(scene.world, "llama", NO_ANSWER)
    assert said.message == "The stack 'llama' is still starting."
    assert said.evidence == (
        "vllm: probably it reads or converts the weights; "
        "usually 12 min (from 3 earlier starts here)"
    )
    assert said.next_step == "ttctl wait llama"


def test_without_a_line_and_an_earlier_start_that_is_said(scene: Scene) -> None:
    assert silent(scene.world, "llama", NO_ANSWER).evidence == (
        "vllm: probably it imports Python modules; "
        "how long that usually takes is not known: no such start was seen here"
    )


def test_a_log_and_a_lock_that_cannot_be_read_end_nothing(scene: Scene) -> None:
    def refused(_: str, *, tail: int, since: int | None) -> NoReturn:
        raise EngineError(f"{tail} {since}")

    def damaged(stack: str) -> LockSummary | None:
        raise BadFileError(stack)

    scene.engine.log_lines = refused  # type: ignore[method-assign]
    scene.store.summary = damaged  # type: ignore[method-assign]
    assert "probably it imports" in silent(scene.world, "llama", NO_ANSWER).evidence


def test_one_that_is_not_starting_is_told_as_it_was(scene: Scene) -> None:
    scene.engine.set_state("vllm", health="healthy")
    said = silent(scene.world, "llama", EngineError("No.", next_step="ttctl status"))
    assert (said.message, said.next_step) == ("No.", "ttctl status llama")
