# SPDX-License-Identifier: Apache-2.0
"""R1. `kill -9` of `up` at any step and moment: the next one ends where an uninterrupted one does.

On the real vLLM tests/e2e/test_kills.py does the same.
"""

from __future__ import annotations

import random
import signal
import statistics
from typing import TYPE_CHECKING

import pytest
from tests.faults.crowd import shared_out
from tests.faults.victims import disturbed, recovered

if TYPE_CHECKING:
    from tests.faults.conftest import Figure, Rounds
    from tests.faults.victims import Disturbed, Victim

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("engine")]

SEED = 20
LOCK_S = 0.1


def killed(victim: Victim, *, lines: int = 0, seconds: float = 0) -> Disturbed:
    came = disturbed(victim, signal.SIGKILL, lines=lines, seconds=seconds)
    recovered(victim, f"kill -9 at {came.at}")
    return came


def told(figure: Figure, what: str, kills: list[Disturbed]) -> None:
    hits = sum(one.hit for one in kills)
    figure("R1", what, f"{len(kills)} of {len(kills)} clean after one `up` ({hits} hit it running)")
    usual = statistics.median(one.gone_s for one in kills)
    figure("R1", f"{what}: lock free after", f"{usual * 1000:.0f} ms (median)")
    assert usual <= LOCK_S


def test_a_kill_after_any_step_is_mended_by_the_next_up(
    victims: list[Victim], rounds: Rounds, figure: Figure
) -> None:
    steps = len(victims[0].lines)
    moments = range(1, steps + 1)[:: -(-steps // rounds(fast=4, whole=steps))]
    kills = shared_out(lambda victim, at: killed(victim, lines=at), moments, victims)
    told(figure, f"`kill -9` after a step ({len(kills)} of {steps})", kills)
    assert any(one.hit for one in kills)


def test_a_kill_at_any_moment_is_mended_by_the_next_up(
    victims: list[Victim], rounds: Rounds, figure: Figure
) -> None:
    count = rounds(fast=8, whole=200)
    chance = random.Random(SEED)  # noqa: S311 - moments, no secrets
    moments = [(at + chance.random()) / count for at in range(count)]
    kills = shared_out(
        lambda victim, part: killed(victim, seconds=part * victim.seconds), moments, victims
    )
    told(figure, f"`kill -9` at a random moment ({count}, evenly over an `up`)", kills)
    assert sum(one.hit for one in kills) >= count // 2
