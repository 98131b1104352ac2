# SPDX-License-Identifier: Apache-2.0
"""Try a stack that was brought up, and say in a table how it did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters.acceptance_client import MeasuringClient
from ttctl.operations.doors import running_lock
from ttctl.operations.tls import at_of
from ttctl.operations.verify import verify

if TYPE_CHECKING:
    from ttctl.cli.session import Session
    from ttctl.model.acceptance import TierRun
    from ttctl.operations.up_result import UpResult


def verified(session: Session, result: UpResult) -> UpResult:
    """Return the result with what two minutes of trying found."""
    lock = running_lock(session.world, result.stack)
    client = MeasuringClient(at_of(session.world, result.stack, lock))
    return replace(result, verified=verify(session.world, result.stack, client))


def text_of(session: Session, result: UpResult) -> str:
    """Return a row for each trial, and what was measured of the speed that the entry names."""
    found = result.verified
    if found is None:
        return ""
    rows = [(one.name, one.outcome, f"{one.seconds:.1f}", one.why) for one in found.looked]
    lines = [session.table(("TRIED", "RESULT", "SECONDS", "WHY"), rows)]
    lines += [f"speed      {_speed(one)}" for one in found.tiers]
    if found.mind:
        lines.append(f"speed      not measured: {found.mind}")
    said = "something does not work" if found.failed else "all that was tried works, or was skipped"
    return "\n".join((*lines, f"verified   {said}"))


def _speed(run: TierRun) -> str:
    figures = ", ".join(
        f"{one.name} {one.measured:.1f} (target {one.target:g}: {one.verdict})"
        if one.measured is not None
        else f"{one.name} not measured (target {one.target:g})"
        for one in run.figures
    )
    what = " ".join(filter(None, (run.task, run.shape)))
    return f"{what} x {run.concurrency}, tier {run.tier}: {figures or 'no figure'}"
