# SPDX-License-Identifier: Apache-2.0
"""R17. A clock that is ten years off, or jumps during a start: nothing behaves differently."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.driver import finish, read_until
from tests.e2e.left_behind import strays
from tests.faults.stage import EVERYTHING
from tests.faults.victims import settled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure

pytestmark = pytest.mark.docker

OF_TIME = {"time", "age", "since", "at", "uptime", "seconds", "started", "made", "when", "date"}
OTHER = Path(__file__).parents[1] / "standins" / "other_clock"
TEN_YEARS = 10 * 365 * 24 * 60 * 60
AHEAD, BEHIND = pytest.param(TEN_YEARS, id="ahead"), pytest.param(-TEN_YEARS, id="behind")
ASKED = "import datetime as dt, time; print(dt.datetime.now().year, time.localtime().tm_year)"
LOOKS = (("status",), ("ps",), ("history",), ("plan",), ("diff",))


def moved(stack: Stack, clock: Path, seconds: int) -> Stack:
    """Return the stack, brought up by a ttctl with another clock, which can be set anew."""
    clock.write_text(str(seconds))
    told = {"PYTHONPATH": str(OTHER), "OTHER_CLOCK": str(clock)}
    return replace(stack, ttctl=replace(stack.ttctl, environ={**stack.ttctl.environ, **told}))


def timeless(value: Any) -> Any:  # noqa: ANN401 - any answer
    """Return an answer without what says a time or how long something took."""
    if isinstance(value, dict):
        return {
            name: timeless(one)
            for name, one in value.items()
            if not (set(name.split("_")) & OF_TIME or name.endswith("_s") or name == "container_id")
        }
    return [timeless(one) for one in value] if isinstance(value, list) else value


def looks(stack: Stack) -> dict[str, Any]:
    """Return what the verbs that only look say of the stack."""
    found = {}
    for (verb,) in LOOKS:
        words = [verb, *(stack.words if verb == "plan" else (stack.name,) * (verb != "ps"))]
        found[verb] = timeless(stack.ttctl.run(*words, "--json").data)
    return found


@pytest.mark.parametrize("shift", [AHEAD, BEHIND] if EVERYTHING else [BEHIND])
def test_a_clock_that_is_ten_years_off_changes_nothing(
    shift: int, stack: Stack, tmp_path: Path, figure: Figure
) -> None:
    stack.up()
    now, containers, whole = looks(stack), stack.identities(), settled(stack)
    other = moved(stack, tmp_path / "clock", shift)
    assert abs(year(other.ttctl.environ) - year({})) in {9, 10}
    assert "nothing was changed" in other.up().out
    assert looks(other) == now
    assert stack.identities() == containers
    other.down()
    other.up()
    assert stack.serves()
    assert settled(stack) == whole
    assert "nothing was changed" in other.up().out
    # Back to the right time: what was written at the wrong one is neither fresh nor stale for ever.
    assert "nothing was changed" in stack.up().out
    assert looks(stack) == now
    assert strays(stack) == []
    verbs = ", ".join(one for (one,) in LOOKS)
    figure("R17", f"clock off by {shift} s: up, second up, down, {verbs}", "the same")


@pytest.mark.parametrize("shift", [AHEAD, BEHIND] if EVERYTHING else [AHEAD])
def test_a_clock_that_jumps_during_a_start_ends_no_wait(
    shift: int, stack: Stack, tmp_path: Path, figure: Figure
) -> None:
    clock = tmp_path / "clock"
    child = moved(stack, clock, 0).start_up()
    read_until(child, r"Network \S+ +Creating")
    clock.write_text(str(shift))
    ran = finish(child)
    assert ran.code == 0, ran.err
    assert stack.serves()
    assert "nothing was changed" in stack.up().out
    figure("R17", f"clock set by {shift} s during a start", "ready, no wait ended early or late")


def year(environ: Mapping[str, str]) -> int:
    """Return which year it is to Python, by both of its clocks."""
    words = [sys.executable, "-c", ASKED]
    done = subprocess.run(words, env=dict(environ), capture_output=True, text=True, check=True)
    (found,) = {int(word) for word in done.stdout.split()}
    return found
