# SPDX-License-Identifier: Apache-2.0
"""Does ttctl pass its unit tests with the lowest and with the newest versions that it allows?

Each Python that is supported and here gets two environments under `build/versions`: one with the
lower bound of every runtime dependency, one with the newest version below the upper bound. Tools
of the tests have the exact versions of the `dev` extra in both.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tools.environments import (
    Extreme,
    bounds,
    folder_of,
    higher,
    installed_in,
    interpreters,
    make,
    project,
    run,
    supported,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TESTS = ("tests/unit", "tests/golden")
OF_LIBRARIES = (
    "tests/unit/adapters", "tests/golden", "tests/unit/test_schemas.py",
    "tests/unit/cli/test_app.py",
    "tests/unit/cli/test_completion.py", "tests/unit/cli/test_config.py",
    "tests/unit/cli/test_console.py", "tests/unit/cli/test_models.py",
    "tests/unit/cli/test_options.py", "tests/unit/cli/test_plan.py",
    "tests/unit/cli/test_start_up.py",
)  # fmt: skip
"""What meets the libraries whose versions are tried: adapters, and the command line's own parts."""
LEFT_OUT = ("tests/unit/engine", "tests/unit/images", "tests/unit/tools", "tests/unit/test_docs.py")
"""What no user installs: a shell script, what runs in containers, developers' tools, the pages."""
PASSED = "passed"

EXTREMES: tuple[Extreme, ...] = ("lowest", "newest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one environment did."""

    python: str
    extreme: str
    result: str
    seconds: float = 0.0
    versions: str = ""


def pairs(pythons: Sequence[str], *, oldest: bool) -> tuple[tuple[str, Extreme], ...]:
    """Return which ends are tried on which Python, of these from the oldest on.

    Args:
        pythons: Those that are here.
        oldest: Only the lowest versions on the oldest, for a machine where `make unit` has the
            newest versions on the newest; else both on each.
    """
    if oldest:
        return tuple((python, "lowest") for python in pythons[:1])
    return tuple((python, extreme) for python in pythons for extreme in EXTREMES)


def prepare(python: str, interpreter: str, extreme: Extreme) -> Row:
    """Make one environment; the row says what is in it, or what went wrong."""
    started = time.monotonic()
    folder = folder_of(python, extreme)
    lows = bounds(project()["dependencies"])
    result = make(folder, interpreter, extreme, lows)
    installed = installed_in(folder, lows) if not result else {}
    if not result and extreme == "lowest":
        result = higher(installed, lows)
    return Row(
        python=python,
        extreme=extreme,
        result=result,
        seconds=time.monotonic() - started,
        versions=" ".join(f"{name} {version}" for name, version in installed.items()),
    )


def tried(row: Row, tests: Sequence[str] = TESTS) -> Row:
    """Run tests in an environment that was made."""
    if row.result:
        return row
    print(f"--- Python {row.python}, {row.extreme} versions", flush=True)
    started = time.monotonic()
    result = _test(folder_of(row.python, row.extreme), tests) or PASSED
    return replace(row, result=result, seconds=row.seconds + time.monotonic() - started)


def _test(folder: Path, tests: Sequence[str]) -> str:
    words = ("-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", *tests)
    left_out = [f"--ignore={path}" for path in LEFT_OUT]
    # Its own folder of temporary files: two runs of pytest would sweep away each other's.
    with tempfile.TemporaryDirectory(prefix="ttctl-") as own:
        python = str(folder / "bin" / "python")
        return (
            ""
            if run("env", f"PYTEST_DEBUG_TEMPROOT={own}", python, *words, *left_out)
            else "tests failed"
        )


def _table(rows: Sequence[Row]) -> str:
    lines = ["", f"{'python':<8}{'versions':<9}{'result':<30}{'seconds':>8}"]
    lines += [f"{row.python:<8}{row.extreme:<9}{row.result:<30}{row.seconds:>8.0f}" for row in rows]
    for extreme in EXTREMES:
        versions = next((row.versions for row in rows if row.extreme == extreme), "")
        lines += ["", f"{extreme}: {versions}"]
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Try what was asked for and print one table; exit 1 if anything failed."""
    known = supported(project()["classifiers"])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", choices=known, help="default: every one here")
    parser.add_argument(
        "--every", action="store_true", help="a Python that is missing is a failure"
    )
    parser.add_argument(
        "--oldest",
        action="store_true",
        help="the lowest versions on the oldest Python only, and the tests of what uses them",
    )
    parser.add_argument(
        "--newest-python", action="store_true", help="print where the newest Python is, no more"
    )
    given = parser.parse_args(words)
    asked = given.python or known
    found = interpreters(asked)
    here = {python: found[python] for python in asked if python in found}
    if given.newest_python:
        print(list(here.values())[-1] if here else "")
        return
    chosen = pairs(tuple(here), oldest=given.oldest)
    wanted = [(python, here[python], extreme) for python, extreme in chosen]
    print(f"--- making {len(wanted)} environments under build/versions", flush=True)
    # pip is one process that mostly unpacks: as many at once as there are processors.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        made = list(pool.map(lambda one: prepare(*one), wanted))
    rows = [tried(row, OF_LIBRARIES if given.oldest else TESTS) for row in made]
    missing = [python for python in given.python or known if python not in here]
    rows += [
        Row(python=python, extreme="both", result="NOT TESTED: not on this machine")
        for python in missing
    ]
    print(_table(rows))
    failed = [row for row in rows if row.result != PASSED and row.python not in missing]
    if not here or failed or (missing and given.every):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
