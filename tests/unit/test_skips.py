# SPDX-License-Identifier: Apache-2.0
"""Does a test of exports fail where EXPORTS is set and it was skipped, and only there?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(exports: str) -> subprocess.CompletedProcess[str]:
    words = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "tests/unit/adapters/test_exports.py",
    ]
    environ = {**os.environ, "EXPORTS": exports}
    for name in [name for name in environ if name.startswith("PYTEST_")]:
        del environ[name]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_folder_without_exports_fails_each_test(tmp_path: Path) -> None:
    done = run(str(tmp_path))
    assert done.returncode == 1, done.stdout
    assert "was skipped, and EXPORTS is set" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


def test_without_a_folder_they_are_skipped() -> None:
    done = run("")
    assert done.returncode == 0, done.stdout
    assert "8 skipped" in done.stdout.splitlines()[-1]
