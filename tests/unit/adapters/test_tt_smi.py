# SPDX-License-Identifier: Apache-2.0
"""Is tt-smi asked once in a while, and never waited for beyond its limit?"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.adapters.programs import Programs

from ttctl.adapters.tt_smi import NAME, TtSmi
from ttctl.model.telemetry import Answered

if TYPE_CHECKING:
    from collections.abc import Iterator

PRINTS = "sys.stderr.write('{{ warning\\n' * 3); print({text!r})"
HANGS = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({pid!r}).write_text(str(os.getpid()))
print("Gathering ...", flush=True)
time.sleep(600)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def smi(folder: Path, *, limit_s: float = 20, max_age_s: float = 60) -> TtSmi:
    return TtSmi(dict(os.environ), cache=folder / "cache", limit_s=limit_s, max_age_s=max_age_s)


def test_what_it_says_is_read_whole_and_kept(programs: Programs, tmp_path: Path) -> None:
    text = machines.printed(machines.snapshot("galaxy"), before="Detecting chips\n")
    programs.add("tt-smi", PRINTS.format(text=text))
    answered = smi(tmp_path).ask()
    assert answered.telemetry is not None
    assert len(answered.telemetry.chips) == 32
    again = smi(tmp_path).ask().telemetry
    assert again is not None
    assert again.chips == answered.telemetry.chips
    assert again.age_s is not None
    assert 0 <= again.age_s < 60
    assert programs.calls == [["tt-smi", "-s"]]
    assert (tmp_path / "cache" / NAME).stat().st_mode & 0o777 == 0o600


def test_an_answer_that_is_too_old_is_asked_for_again(programs: Programs, tmp_path: Path) -> None:
    programs.add("tt-smi", PRINTS.format(text=machines.printed(machines.snapshot("n150"))))
    smi(tmp_path).ask()
    assert smi(tmp_path).kept().telemetry is not None
    assert smi(tmp_path, max_age_s=0).kept() == Answered(telemetry=None)
    smi(tmp_path, max_age_s=0).ask()
    assert len(programs.calls) == 2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("print('No Tenstorrent driver detected!'); sys.exit(1)", "driver", id="none"),
        pytest.param("sys.exit(3)", "tt-smi ended with 3: it printed nothing", id="silent"),
        pytest.param("print('{\"device_info\": [')", "no snapshot", id="cut short"),
        pytest.param("os.kill(os.getpid(), 9)", "ended with -9", id="killed"),
    ],
)
def test_a_failure_is_told_and_kept_too(
    programs: Programs, tmp_path: Path, body: str, said: str
) -> None:
    programs.add("tt-smi", body)
    answered = smi(tmp_path).ask()
    assert answered.telemetry is None
    assert said in answered.note
    again = smi(tmp_path).ask()
    assert said in again.note
    assert "s ago" in again.note
    assert len(programs.calls) == 1


def test_without_the_program_it_is_said(programs: Programs, tmp_path: Path) -> None:
    assert smi(tmp_path).ask().note == "tt-smi is not installed"
    assert programs.calls == []


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[Path]:
    """Name a file for a program's id, and see that the program is gone."""
    file = tmp_path / "pid"
    yield file
    pid = file.read_text(encoding="utf-8")
    deadline = time.monotonic() + 5
    while Path("/proc", pid).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    stat = Path("/proc", pid, "stat")
    assert not stat.exists() or ") Z " in stat.read_text(encoding="utf-8")


def test_a_program_that_hangs_and_ignores_its_end_is_ended_within_the_limit(
    programs: Programs, tmp_path: Path, ended: Path
) -> None:
    programs.add("tt-smi", HANGS.format(pid=str(ended)))
    started = time.monotonic()
    answered = smi(tmp_path, limit_s=2).ask()
    assert time.monotonic() - started < 2.5
    assert (answered.telemetry, answered.hung) == (None, True)
    assert (
        "did not answer: It was ended after 1.4 s, so that nobody waits longer than 2 s"
        in answered.note
    )
    started = time.monotonic()
    assert "ago" in smi(tmp_path, limit_s=2).ask().note
    assert smi(tmp_path, limit_s=2).kept().hung
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"time": "x"}', json.dumps({"time": 1e18, "text": "", "note": ""})],
)
def test_a_damaged_cache_is_as_none(programs: Programs, tmp_path: Path, text: str) -> None:
    programs.add("tt-smi", PRINTS.format(text=machines.printed(machines.snapshot("n150"))))
    machines.write(tmp_path / "cache" / NAME, text)
    assert smi(tmp_path).kept() == Answered(telemetry=None)
    assert smi(tmp_path).ask().telemetry is not None


CHILD = """
import subprocess
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print({text!r}, flush=True)
"""
ENDLESS = """
while True:
    sys.stdout.write("{" * (1 << 20))
"""


def test_a_child_that_holds_the_output_open_does_not_hold_the_answer(
    programs: Programs, tmp_path: Path
) -> None:
    programs.add("tt-smi", CHILD.format(text=machines.printed(machines.snapshot("n150"))))
    started = time.monotonic()
    assert smi(tmp_path, limit_s=10).ask().telemetry is not None
    assert time.monotonic() - started < 5


def test_output_without_an_end_is_ended_within_the_limit(
    programs: Programs, tmp_path: Path
) -> None:
    programs.add("tt-smi", ENDLESS)
    started = time.monotonic()
    assert smi(tmp_path, limit_s=2).ask().telemetry is None
    assert time.monotonic() - started < 3


def test_of_two_documents_the_first_one_counts(programs: Programs, tmp_path: Path) -> None:
    text = "".join(machines.printed(machines.snapshot(one)) for one in ("n150", "t3k"))
    programs.add("tt-smi", PRINTS.format(text=text))
    telemetry = smi(tmp_path).ask().telemetry
    assert telemetry is not None
    assert len(telemetry.chips) == 1


def test_an_end_without_a_word_is_a_failure(programs: Programs, tmp_path: Path) -> None:
    programs.add("tt-smi", "sys.exit(0)")
    assert smi(tmp_path).ask().note == "tt-smi ended with 0: it printed nothing"
