# SPDX-License-Identifier: Apache-2.0
"""Is a fetch for no stack seen by others while it goes on, and at no other time?"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters import doing
from ttctl.adapters.doing import LOCK, NAME, DoingFile
from ttctl.adapters.pulls import pulls_in, told_in
from ttctl.adapters.store import StateFolder
from ttctl.cli.told_reporter import ToldReporter

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys
from pathlib import Path
from ttctl.adapters.doing import DoingFile
from ttctl.adapters.pulls import told_in
told = DoingFile()
with told_in(Path(sys.argv[1]), told, None):
    told.begin("Fetch weights acme/Small-1B")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a second to pass."""
    monkeypatch.setattr(doing, "EVERY_S", 0.0)


def test_a_fetch_is_told_with_how_far_it_is_and_leaves_nothing(tmp_path: Path) -> None:
    told = DoingFile()
    store = StateFolder(tmp_path / "stacks", told)
    reporter = ToldReporter(FakeReporter(), told)
    with store.pulling(reporter), reporter.step("Fetch weights acme/Small-1B"):
        reporter.progress(3e6, 12e6, "bytes")
        (one,) = pulls_in(tmp_path / "pulls")
        assert (one.stack, one.pid, one.title) == (
            "models pull", os.getpid(), "Fetch weights acme/Small-1B"
        )  # fmt: skip
        assert (one.done, one.total, one.unit) == (3e6, 12e6, "bytes")
    assert list((tmp_path / "pulls").iterdir()) == []
    assert pulls_in(tmp_path / "pulls") == ()


def test_a_failure_ends_it_too(tmp_path: Path) -> None:
    told = DoingFile()
    with suppress(ValueError), told_in(tmp_path, told, FakeReporter()):
        told.begin("Fetch weights acme/Small-1B")
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_left_is_nobodys_work_and_goes_with_the_next_one(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60)
    assert child.returncode == -9
    (left,) = tmp_path.iterdir()
    assert {path.name for path in left.iterdir()} == {NAME, LOCK}
    assert pulls_in(tmp_path) == ()
    with told_in(tmp_path, DoingFile(), FakeReporter()):
        assert left.exists()
    hour_ago = left.stat().st_mtime - 3600
    os.utime(left, (hour_ago, hour_ago))
    with told_in(tmp_path, DoingFile(), FakeReporter()):
        (own,) = tmp_path.iterdir()
        assert own.name.startswith(f"{os.getpid()}-")


def test_where_nobody_can_be_told_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "pulls").write_text("no folder")
    with told_in(tmp_path / "pulls", DoingFile(), FakeReporter()):
        assert pulls_in(tmp_path / "pulls") == ()


def test_who_is_told_to_tell_nobody_makes_no_folder(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "stacks").pulling(FakeReporter()):
        assert not (tmp_path / "pulls").exists()
