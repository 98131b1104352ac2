# SPDX-License-Identifier: Apache-2.0
"""Does the page of faults say what was measured, of which commit, and what failed?"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tools.faults import ROOT, commit_of, figures, page, results, run

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


def test_the_page_has_a_row_for_each_figure_in_the_order_of_the_scenarios() -> None:
    measured = figures(
        rows(
            ("R10", "husks", 0, "tests/faults/test_ports.py::test_p"),
            ("R1", "a|b\nc", "200 of 200", f"{KILLS}::test_a[one]"),
        )
    )
    text = page(measured, results(JUNIT), date="2026-01-02", commit="0123456789ab + changes")
    assert "on 2026-01-02, of commit 0123456789ab + changes." in text
    assert "Tests: 1 passed, 2 failed, 1 skipped." in text
    assert "at most" not in text
    fewer = page(measured, results(JUNIT), date="2026-01-02", commit="0123456789ab", rounds="40")
    assert "Each fault was done at most 40 times" in fewer
    assert text.partition("|---|---|---|---|\n")[2].splitlines() == [
        "| R1 | a\\|b c | 200 of 200 | passed |",
        "| R10 | husks | 0 | not run |",
        "|  | `test_b` |  | failed |",
        "|  | `test_c` |  | skipped |",
        "|  | `test_d` |  | failed |",
    ]


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
