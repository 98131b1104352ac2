# SPDX-License-Identifier: Apache-2.0
"""Is what was measured judged as the entry promises, and is nothing called better than it is?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.accepted import RAN, outcomes

from ttctl.model.acceptance import Measured
from ttctl.model.pins import Target
from ttctl.rules.acceptance import figures, lowest, of_speed, overall, speeds, tier_run

TEXT = [
    Target(task="text", shape="128/128", concurrency=1, tier=tier, ttft_ms=ttft, tput_user=user)
    for tier, ttft, user in (("target", 26, 43), ("functional", 260, 4.3), ("complete", 52, 21.5))
]
VLM = replace(TEXT[0], task="vlm", shape="128/128 512x512")
FAST = Measured(requests=4, failed=0, ttft_ms=20, tput_user=50, tput=50)


@pytest.mark.parametrize(
    ("measured", "reached", "verdicts"),
    [
        pytest.param({"ttft_ms": 20, "tput_user": 50}, "target", ["met", "met"], id="all met"),
        pytest.param({"ttft_ms": 26, "tput_user": 43}, "target", ["met", "met"], id="exactly"),
        pytest.param({"ttft_ms": 40, "tput_user": 50}, "complete", ["below", "met"], id="late"),
        pytest.param({"ttft_ms": 20, "tput_user": 5}, "functional", ["met", "below"], id="slow"),
        pytest.param({"ttft_ms": 300, "tput_user": 1}, "", ["below", "below"], id="neither"),
        pytest.param({"ttft_ms": 20}, "target", ["met", "not judged"], id="one not measured"),
        pytest.param({}, "", ["not judged", "not judged"], id="nothing measured"),
        pytest.param({"ttft_ms": 20, "tput_user": 50, "failed": 1}, "", ["met", "met"], id="fail"),
    ],
)
def test_a_speed_is_held_against_the_highest_tier_and_the_reached_one_is_told(
    measured: dict[str, Any], reached: str, verdicts: list[str]
) -> None:
    speed = speeds(TEXT)[0]
    run = tier_run(of_speed(TEXT, speed), Measured(**{"requests": 4, "failed": 0, **measured}))
    assert run.tier == "target"
    assert run.reached == reached
    assert [one.verdict for one in run.figures] == verdicts


@pytest.mark.parametrize(
    ("tolerance", "verdict"), [pytest.param(0.0, "below"), pytest.param(0.2, "met")]
)
def test_a_tolerance_widens_the_bar_on_its_own_side(tolerance: float, verdict: str) -> None:
    target = replace(TEXT[0], tolerance=tolerance)
    measured = Measured(requests=1, failed=0, ttft_ms=31, tput_user=35)
    assert {one.verdict for one in figures(target, measured)} == {verdict}


@pytest.mark.parametrize(
    ("tput", "concurrency", "verdict"),
    [
        pytest.param(43.0, 1, "met", id="of one user"),
        pytest.param(4276.0, 1, "not judged", id="of a full batch beside one user"),
        pytest.param(43.0 * 32, 32, "below", id="of as many users as it names"),
    ],
)
def test_a_speed_of_a_larger_batch_than_it_names_is_not_judged(
    tput: float, concurrency: int, verdict: str
) -> None:
    target = replace(TEXT[0], tput=tput, concurrency=concurrency)
    assert figures(target, FAST)[-1].verdict == verdict


def test_each_speed_is_measured_once_whatever_tiers_it_has() -> None:
    assert speeds([*TEXT, VLM]) == (("text", "128/128", 1), ("vlm", "128/128 512x512", 1))


GOOD = tier_run(of_speed(TEXT, speeds(TEXT)[0]), FAST)
SLOW = tier_run(of_speed(TEXT, speeds(TEXT)[0]), replace(FAST, ttft_ms=30))
BROKEN = replace(GOOD, failed=1)


@pytest.mark.parametrize(
    ("checks", "tiers", "verdict"),
    [
        pytest.param(["passed"], [GOOD], "passed", id="all well"),
        pytest.param(["passed"], [SLOW], "below target", id="slower"),
        pytest.param(["passed", "failed"], [GOOD], "failed", id="a check failed"),
        pytest.param(["passed", "skipped"], [GOOD], "incomplete", id="a check was left out"),
        pytest.param(["failed", "skipped"], [GOOD], "failed", id="failed goes first"),
        pytest.param(["passed"], [], "incomplete", id="nobody measured"),
        pytest.param(["passed"], [BROKEN], "failed", id="a request failed"),
        pytest.param([], [GOOD], "incomplete", id="nothing was looked at"),
    ],
)
def test_a_run_is_worth_its_weakest_part(checks: list[str], tiers: list[Any], verdict: str) -> None:
    assert overall(outcomes(*checks), tiers, targets=TEXT) == verdict


def test_an_entry_without_speeds_can_pass() -> None:
    assert overall(outcomes("passed"), [], targets=[]) == "passed"


def test_the_tier_of_a_run_is_the_lowest_that_its_speeds_reached() -> None:
    assert lowest(RAN.tiers) == "target"
    assert lowest([GOOD, SLOW]) == "complete"
    assert lowest([GOOD, replace(GOOD, reached="")]) == ""
    assert lowest([]) == ""
