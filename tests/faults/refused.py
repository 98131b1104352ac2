# SPDX-License-Identifier: Apache-2.0
"""What a person reads when something failed: four parts and an exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.driver import Ran, Stack

FAILED_S = 300


def parts(text: str) -> dict[str, str]:
    """Return the four parts of a refusal, which all have to be there."""
    pattern = r"^(error|why|evidence|next): +(.*(?:\n {10}.*)*)"
    found = dict(re.findall(pattern, text, re.MULTILINE))
    assert set(found) == {"error", "why", "evidence", "next"}, text
    assert "Traceback" not in text
    assert "defect" not in found["error"], text
    return found


def refused(stack: Stack, *words: str, exits: int) -> dict[str, str]:
    """Bring a stack up, which has to fail in this way; return what it said."""
    ran: Ran = stack.ttctl.run("up", *stack.words, *words, exits=exits, limit_s=FAILED_S)
    return parts(ran.err)


def running(stack: Stack) -> dict[str, str]:
    """Return the state of each of a stack's containers."""
    return {name: one["State"]["Status"] for name, one in stack.inspect().items()}


WHOLE = {"vllm": "running", "gateway": "running"}
