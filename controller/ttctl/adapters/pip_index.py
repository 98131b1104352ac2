# SPDX-License-Identifier: Apache-2.0
"""Ask the installed pip which package index it uses when nobody names one."""

from __future__ import annotations

import sys

from ttctl.adapters.process import run
from ttctl.errors import TtctlError

PROGRAM = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
"""pip keeps its default only in its own code; asking it keeps the address out of ours."""


def default_index() -> str:
    """Return the index's address, empty where pip is not installed or says nothing."""
    try:
        done = run([sys.executable, "-I", "-c", PROGRAM], timeout_s=20)
    except TtctlError:
        return ""
    found = done.tail(1)
    return found if done.returncode == 0 and found.startswith("http") else ""
