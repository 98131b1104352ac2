# SPDX-License-Identifier: Apache-2.0
"""R3. Ctrl-C and SIGTERM at any step: it ends soon and says what is left; `up` goes on."""

from __future__ import annotations

import signal
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import descendants, finish, kill, until
from tests.faults.crowd import shared_out
from tests.faults.stage import through
from tests.faults.victims import disturbed, recovered

if TYPE_CHECKING:
    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure, Rounds
    from tests.faults.victims import Disturbed, Victim

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine")]

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
END_S = 2
DEAF = """#!/bin/bash
case " $* " in *" compose "*" up "*)
  trap 'echo told >"{told}"' INT TERM
  echo "deaf" >"{deaf}"
  while :; do sleep 0.1; done
esac
exec {docker} "$@"
"""
"""A docker that starts nothing and will not be told to end."""


def ended(victim: Victim, signum: signal.Signals, lines: int) -> Disturbed:
    came = disturbed(victim, signum, lines=lines)
    assert "Traceback" not in came.ran.err, came.ran.err
    if came.hit and came.ran.code:
        assert came.ran.code == CODES[signum], came
        assert "What was finished stays" in came.ran.err
        assert "Containers that were started go on running." in came.ran.err
        stack = victim.stack
        assert f"up {stack.target} --name {stack.name} --port {stack.port}" in came.ran.err
    recovered(victim, f"{signum.name} at {came.at}")
    return came


@pytest.mark.parametrize("signum", CODES, ids=lambda one: one.name)
def test_a_signal_at_any_step_ends_it_and_the_next_up_goes_on(
    signum: signal.Signals, victims: list[Victim], rounds: Rounds, figure: Figure
) -> None:
    steps = len(victims[0].lines)
    moments = range(1, steps + 1)[:: -(-steps // rounds(fast=3, whole=steps))]
    came = shared_out(lambda victim, at: ended(victim, signum, at), moments, victims)
    took = [one.gone_s for one in came if one.ran.code]
    assert took
    usual = statistics.median(took)
    what = f"{signum.name} after a step ({len(came)} of {steps})"
    figure("R3", what, f"{len(took)} ended with {CODES[signum]}, all clean after one `up`")
    figure("R3", f"{what}: ended after", f"{usual:.2f} s (median), {max(took):.2f} s at most")
    assert max(took) <= END_S


def test_a_second_signal_ends_it_at_once_and_what_it_had_started(
    stack: Stack, tmp_path: Path, figure: Figure
) -> None:
    deaf, told = tmp_path / "deaf", tmp_path / "told"
    child = through(stack, tmp_path, DEAF, deaf=deaf, told=told).start_up()
    until(deaf.exists)
    below = descendants(child.pid)
    kill(child, signal.SIGINT)
    until(told.exists)
    began = time.monotonic()
    kill(child, signal.SIGINT)
    assert finish(child, limit_s=30).code == 130
    took = time.monotonic() - began
    figure("R3", "a second Ctrl-C, while docker does not end", f"{took:.2f} s")
    assert took <= END_S
    until(lambda: not any(Path("/proc", str(pid)).exists() for pid in below), within_s=5)
    stack.up()
    assert stack.serves()
