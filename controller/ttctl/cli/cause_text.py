# SPDX-License-Identifier: Apache-2.0
"""Lay out why services do not do their work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.operations.diagnose import Cause

SHOWN = 240
"""Characters of a log line; `ttctl logs` has all of it."""


def causes_text(stack: str, causes: Sequence[Cause]) -> str:
    """Return what `logs --explain` says."""
    if not causes:
        return f"Every service of {stack} does its work, as far as can be seen."
    return "\n\n".join("\n".join(_lines(one)) for one in causes)


def cause_lines(causes: Iterable[Cause]) -> list[str]:
    """Return what `status` says: two lines for each service that does not do its work."""
    lines = []
    for one in causes:
        lines += [f"cause     {one.service}: {one.cause}", f"next      {one.next_step}"]
    return lines


def _lines(one: Cause) -> list[str]:
    line = one.evidence if len(one.evidence) <= SHOWN else f"{one.evidence[: SHOWN - 3]}..."
    return [
        f"{one.service}: {one.failure}",
        f"cause     {one.cause}",
        f"evidence  {line}",
        f"next      {one.next_step}",
        f"known     {one.source}",
    ]
