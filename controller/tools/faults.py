# SPDX-License-Identifier: Apache-2.0
"""Do all of `tests/faults`, and write docs/faults.md: what was measured, when and of which commit.

`python -m tools.faults [FILE ...]`, or `make faults`. One file after the other is run and written
down, so that a run that is ended early keeps what it has measured; files that are not run keep
their rows. It ends with 1 where a test failed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tools.faults_page import Figure, Page, Run, page, read

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
PAGE = "docs/faults.md"
TESTS = "tests/faults"
ALL_PASSED, SOME_FAILED = 0, 1
"""pytest's exit codes for a run that came to its end; one that is broken off may have the second,
too, and its report calls the test that it was at a passed one.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line that a test wrote down."""

    scenario: str
    what: str
    value: str
    test: str
    """Its node id."""


def figures(text: str) -> tuple[Measured, ...]:
    """Read the lines of the file that FAULTS_TABLE names."""
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    return tuple(
        Measured(**{name: str(row[name]) for name in ("scenario", "what", "value", "test")})
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


def is_whole(code: int, ended: dict[str, str]) -> bool:
    """Return whether a run came to its end, by pytest's exit code and the tests of its report."""
    failed = "failed" in ended.values()
    return bool(ended) and code == (SOME_FAILED if failed else ALL_PASSED)


def told(file: str, measured: Sequence[Measured], ended: dict[str, str]) -> tuple[Figure, ...]:
    """Return a file's rows: one for each figure, then the tests without one that did not pass."""
    rows = [
        Figure(
            scenario=one.scenario,
            what=one.what,
            value=one.value,
            result=ended.get(one.test, "not run"),
            file=file,
        )
        for one in measured
    ]
    have = {one.test for one in measured}
    rows += [
        Figure(scenario="", what=f"`{name.rpartition('::')[2]}`", value="", result=how, file=file)
        for name, how in ended.items()
        if name not in have and how != "passed"
    ]
    return tuple(rows)


def commit_of(root: Path) -> str:
    """Return the commit of a checkout, and whether its files are others."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", ".", f":!{PAGE}")
    return f"{commit} + changes" if changed else commit


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def run(words: Sequence[str], *, table: Path, junit: Path) -> int:
    """Run tests in whole; return pytest's exit code, the figures and the report are written."""
    table.touch()
    # The newer family of reports takes no figures of single tests.
    report = ("-o", "junit_family=xunit1", f"--junitxml={junit}")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, *report],
        cwd=ROOT,
        env={**os.environ, "FAULTS": "whole", "FAULTS_TABLE": str(table)},
        check=False,
    ).returncode


def tried(path: Path, *, commit: str, rounds: str) -> tuple[int, Run | None, tuple[Figure, ...]]:
    """Run one file; return pytest's exit code and what is written of it, None for a part of it."""
    name, started = path.stem.removeprefix("test_"), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ttctl-faults-") as folder:
        table, junit = Path(folder, "table.jsonl"), Path(folder, "junit.xml")
        code = run([str(path)], table=table, junit=junit)
        ended = results(junit.read_text(encoding="utf-8")) if junit.exists() else {}
        if not is_whole(code, ended):
            return code, None, ()
        rows = told(name, figures(table.read_text(encoding="utf-8")), ended)
    counts = Counter(ended.values())
    how = ", ".join(f"{counts[one]} {one}" for one in ("passed", "failed", "skipped"))
    done = Run(
        file=name,
        result=how,
        rounds=f"at most {rounds}" if rounds else "all",
        minutes=f"{(time.monotonic() - started) / 60:.1f}",
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        commit=commit,
    )
    return code, done, rows


def main() -> None:
    """Run the files one by one, write the page behind each, and end with 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="in place of the whole folder")
    every = sorted((ROOT / TESTS).glob("test_*.py"))
    given = [path.resolve() for path in parser.parse_args().files]
    commit, rounds = commit_of(ROOT), os.environ.get("FAULTS_ROUNDS", "")
    there = ROOT / PAGE
    names = {path.stem.removeprefix("test_") for path in every}
    known = read(there.read_text(encoding="utf-8") if there.exists() else "").only(names)
    codes = []
    for path in given or every:
        code, done, rows = tried(path, commit=commit, rounds=rounds)
        codes.append(code)
        if done is None:
            break
        known = known.having(Page(runs=(done,), figures=rows))
        there.write_text(page(known, names), encoding="utf-8")
        print(f"wrote {PAGE}", flush=True)
    raise SystemExit(int(any(codes)))


if __name__ == "__main__":
    main()
