# SPDX-License-Identifier: Apache-2.0
"""Is what the tests of faults measure, and how they end, read as it is?"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tools.faults import ROOT, commit_of, figures, is_whole, results, run, told

if TYPE_CHECKING:
    from pathlib import Path

KILLS = "tests/faults/test_kills.py"
JUNIT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.faults.test_kills" name="test_a[one]" time="1"/>
<testcase classname="tests.faults.test_kills" name="test_b"><failure>no</failure></testcase>
<testcase classname="tests.faults.test_kills" name="test_b"><error>nor this</error></testcase>
<testcase classname="tests.faults.test_clock" name="test_c"><skipped message="no"/></testcase>
<testcase classname="tests.faults.test_clock" name="test_d"/>
<testcase classname="tests.faults.test_clock" name="test_d"><error>its end</error></testcase>
</testsuite></testsuites>"""


def rows(*lines: tuple[str, str, object, str]) -> str:
    names = ("scenario", "what", "value", "test")
    return "".join(json.dumps(dict(zip(names, line, strict=True))) + "\n" for line in lines)


def test_each_test_has_its_worst_end() -> None:
    assert results(JUNIT) == {
        f"{KILLS}::test_a[one]": "passed",
        f"{KILLS}::test_b": "failed",
        "tests/faults/test_clock.py::test_c": "skipped",
        "tests/faults/test_clock.py::test_d": "failed",
    }


def test_a_file_has_a_row_for_each_figure_and_for_each_test_that_did_not_pass() -> None:
    measured = figures(
        rows(
            ("R10", "husks", 0, "tests/faults/test_ports.py::test_p"),
            ("R1", "kills", "200 of 200", f"{KILLS}::test_a[one]"),
        )
    )
    found = told("kills", measured, results(JUNIT))
    assert [(one.scenario, one.what, one.value, one.result) for one in found] == [
        ("R10", "husks", "0", "not run"),
        ("R1", "kills", "200 of 200", "passed"),
        ("", "`test_b`", "", "failed"),
        ("", "`test_c`", "", "skipped"),
        ("", "`test_d`", "", "failed"),
    ]
    assert {one.file for one in found} == {"kills"}


def test_a_commit_with_changes_is_told_and_the_page_itself_is_none(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        own = ["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *own, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "docs").mkdir()
    for name in ("a", "docs/faults.md"):
        (tmp_path / name).write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    clean = commit_of(tmp_path)
    assert len(clean) == 12
    (tmp_path / "docs" / "faults.md").write_text("2")
    assert commit_of(tmp_path) == clean
    (tmp_path / "a").write_text("2")
    assert commit_of(tmp_path) == f"{clean} + changes"


@pytest.mark.parametrize(
    ("code", "ended", "whole"),
    [
        pytest.param(0, ("passed", "skipped"), True, id="all passed"),
        pytest.param(1, ("passed", "failed"), True, id="one failed"),
        pytest.param(1, ("passed",), False, id="broken off in a test, which the report has"),
        pytest.param(2, ("passed", "failed"), False, id="broken off after one that failed"),
        pytest.param(0, (), False, id="nothing ran"),
        pytest.param(-9, (), False, id="killed"),
    ],
)
def test_a_run_that_was_broken_off_is_not_written_down(
    code: int, ended: tuple[str, ...], *, whole: bool
) -> None:
    assert is_whole(code, {f"test_{n}": one for n, one in enumerate(ended)}) is whole


def test_a_run_writes_down_what_tests_measure_and_how_they_ended(tmp_path: Path) -> None:
    tests = tmp_path / "test_measured.py"
    tests.write_text(
        "import os, pathlib\n"
        "def test_a(record_property):\n"
        "    record_property('R1: kills', 3)\n"
        "    pathlib.Path(os.environ['FAULTS_TABLE']).write_text(os.environ['FAULTS'])\n"
        "def test_b():\n"
        "    assert False\n"
    )
    table, junit = tmp_path / "table.jsonl", tmp_path / "junit.xml"
    words = ["-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), str(tests)]
    assert run(words, table=table, junit=junit) == 1
    assert table.read_text() == "whole"
    assert sorted(results(junit.read_text()).values()) == ["failed", "passed"]
