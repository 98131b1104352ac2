# SPDX-License-Identifier: Apache-2.0
"""Is it said of each trial how it came out, and of the speed what was wanted?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.unit.cli.test_up_consent import RESULT

from ttctl.cli.app import run_command
from ttctl.cli.door import split_flags, split_values
from ttctl.cli.session import Flags, Session
from ttctl.cli.verify_text import text_of
from ttctl.model.acceptance import Figure, TierRun
from ttctl.model.verified import Tried, Verified

if TYPE_CHECKING:
    import pytest

GOOD = Tried(name="an answer", outcome="passed", seconds=0.25, why="")
BAD = Tried(name="a long prompt", outcome="failed", seconds=0, why="HTTP status 503")
RUN = TierRun(
    task="text", shape="128/128", concurrency=1, tier="target", requests=8, failed=0, reached="",
    figures=(
        Figure(name="ttft_ms", target=89, measured=91.25, verdict="below"),
        Figure(name="tput", target=21, measured=None, verdict="not judged"),
    ),
)  # fmt: skip


def told(found: Verified | None) -> list[str]:
    return text_of(Session(Flags()), replace(RESULT, verified=found)).splitlines()


def test_a_row_for_each_trial_and_the_speed_below() -> None:
    lines = told(Verified(looked=(GOOD, BAD), tiers=(RUN,)))
    assert lines[1].split() == ["an", "answer", "passed", "0.2"]
    assert lines[2].endswith("HTTP status 503")
    assert lines[3] == (
        "speed      text 128/128 x 1, tier target: ttft_ms 91.2 (target 89: below), "
        "tput not measured (target 21)"
    )
    assert lines[4] == "verified   something does not work"


def test_a_speed_that_was_not_measured_says_why() -> None:
    lines = told(Verified(looked=(GOOD,), mind="its entry names no speed"))
    assert lines[-2:] == [
        "speed      not measured: its entry names no speed",
        "verified   all that was tried works, or was skipped",
    ]


def test_nothing_is_said_where_nobody_asked() -> None:
    assert told(None) == []


def test_nothing_can_be_verified_that_is_not_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, values = split_values(["up", "llama", "--no-wait", "--verify"])
    assert run_command(*split_flags(words), values) == 2
    assert "--verify waits for the stack that it tries." in capsys.readouterr().err
