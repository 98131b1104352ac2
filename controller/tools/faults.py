# SPDX-License-Identifier: Apache-2.0
"""Do all of `tests/faults`, and write docs/faults.md: what was measured, when and of which commit.

`python -m tools.faults`, or `make faults`. It ends with pytest's own exit code.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tools.markdown import row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
PAGE = "docs/faults.md"
TESTS = "tests/faults"
HEAD = """# What faults do to ttctl

Written by `make faults` on {date}, of commit {commit}. Each test does the fault on a real container
engine and holds what is left against what an uninterrupted run leaves. `make test` does a part of
each within minutes; here is the whole. Seconds are of one machine, shared with others: what they
are compared with was measured in the same test.

{summary}

| scenario | what was done or measured | figure | result |
|---|---|---|---|
"""
NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line that a test wrote down."""

    scenario: str
    what: str
    value: str
    test: str
    """Its node id."""


def figures(text: str) -> tuple[Figure, ...]:
    """Read the lines of the file that FAULTS_TABLE names."""
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return tuple(
        Figure(**{name: str(row[name]) for name in ("scenario", "what", "value", "test")})
        for row in rows
    )


def results(junit: str) -> dict[str, str]:
    """Read pytest's report: the node id of each test, and how it ended."""
    found: dict[str, str] = {}
    for case in ET.fromstring(junit).iter("testcase"):  # noqa: S314 - pytest has just written it
        module = case.get("classname", "").replace(".", "/")
        kinds = {child.tag for child in case}
        ended = "failed" if kinds & {"failure", "error"} else "passed"
        name = f"{module}.py::{case.get('name', '')}"
        # A test that passed, and whose end failed, stands there twice.
        worst = "failed" if "failed" in (ended, found.get(name)) else ended
        found[name] = "skipped" if "skipped" in kinds else worst
    return found


def page(
    rows: Sequence[Figure], ended: Mapping[str, str], *, date: str, commit: str, rounds: str = ""
) -> str:
    """Return the page: a row for each figure, then the tests that have none and did not pass.

    Args:
        rows: What was measured.
        ended: How each test ended, by its node id.
        date: Day of the run, `2026-01-31`.
        commit: What was run.
        rounds: How often each fault was done at most; empty for as often as is meant.
    """
    counts = Counter(ended.values())
    summary = ", ".join(f"{counts[one]} {one}" for one in ("passed", "failed", "skipped"))
    lines = [
        row((one.scenario, one.what, one.value, ended.get(one.test, NOT_RUN)))
        for one in sorted(rows, key=_order)
    ]
    told = {one.test for one in rows}
    lines += [
        row(("", f"`{name.rpartition('::')[2]}`", "", result))
        for name, result in ended.items()
        if name not in told and result != "passed"
    ]
    fewer = f" Each fault was done at most {rounds} times, to save hours." if rounds else ""
    head = HEAD.format(date=date, commit=commit, summary=f"Tests: {summary}.{fewer}")
    return head + "\n".join(lines) + "\n"


def commit_of(root: Path) -> str:
    """Return the commit of a checkout, and whether its files are others."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", ".", f":!{PAGE}")
    return f"{commit} + changes" if changed else commit


def _order(row: Figure) -> tuple[int, str]:
    number = row.scenario.removeprefix("R")
    return (int(number) if number.isdecimal() else 99, row.scenario)


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def run(words: Sequence[str], *, table: Path, junit: Path) -> int:
    """Run the tests in whole; return pytest's exit code, the figures and the report are written."""
    table.touch()
    # The newer family of reports takes no figures of single tests.
    report = ("-o", "junit_family=xunit1", f"--junitxml={junit}")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, *report],
        cwd=ROOT,
        env={**os.environ, "FAULTS": "whole", "FAULTS_TABLE": str(table)},
        check=False,
    ).returncode


def main() -> None:
    """Run the tests, write the page, and end as pytest did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="words for pytest, in place of the whole folder")
    words = parser.parse_args().words or [TESTS]
    commit = commit_of(ROOT)
    with tempfile.TemporaryDirectory(prefix="ttctl-faults-") as folder:
        table, junit = Path(folder, "table.jsonl"), Path(folder, "junit.xml")
        code = run(words, table=table, junit=junit)
        if not junit.exists():
            raise SystemExit(code)
        text = page(
            figures(table.read_text(encoding="utf-8")),
            results(junit.read_text(encoding="utf-8")),
            date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
            commit=commit,
            rounds=os.environ.get("FAULTS_ROUNDS", ""),
        )
    (ROOT / PAGE).write_text(text, encoding="utf-8")
    print(f"wrote {PAGE}")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
