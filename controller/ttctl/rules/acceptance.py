# SPDX-License-Identifier: Apache-2.0
"""Does what was measured reach what the catalog promises, and what is the whole run worth? Pure.

Source: tenstorrent/tt-inference-server, the reports of its workflows: a time counts as met up to
(1 + tolerance) times the figure, a speed from (1 - tolerance) times on; a user's speed is 1000 over
the mean time of an output token, that of all is this times the users; a figure that is not named
or not measured is not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.acceptance import Figure, TierRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.acceptance import Check, FigureName, FigureVerdict, Measured, Verdict
    from ttctl.model.pins import Target

TIERS = ("functional", "complete", "target")
"""The lowest first."""
NAMES: tuple[FigureName, ...] = ("ttft_ms", "tput_user", "tput")
BATCH_SLACK = 1.05
"""A figure for all users above this times the users' own is of a larger batch than it names."""

CLAIMS: frozenset[Verdict] = frozenset({"passed", "below target"})
"""What a run may claim speeds by."""

Speed = tuple[str, str, int]
"""Task, shape, concurrency."""


def speeds(targets: Iterable[Target]) -> tuple[Speed, ...]:
    """Return what is to be measured, each speed once, in the entry's order."""
    return tuple(dict.fromkeys((one.task, one.shape, one.concurrency) for one in targets))


def of_speed(targets: Iterable[Target], speed: Speed) -> tuple[Target, ...]:
    """Return one speed's targets, the lowest tier first."""
    own = [one for one in targets if (one.task, one.shape, one.concurrency) == speed]
    return tuple(sorted(own, key=lambda one: TIERS.index(one.tier)))


def tier_run(targets: Sequence[Target], measured: Measured) -> TierRun:
    """Return how one speed came out, held against its highest tier.

    Args:
        targets: Those of one speed, the lowest tier first; not empty.
        measured: What the requests took.
    """
    highest = targets[-1]
    reached = [one.tier for one in targets if is_met(figures(one, measured), measured)]
    return TierRun(
        task=highest.task,
        shape=highest.shape,
        concurrency=highest.concurrency,
        tier=highest.tier,
        requests=measured.requests,
        failed=measured.failed,
        figures=figures(highest, measured),
        reached=reached[-1] if reached else "",
    )


def figures(target: Target, measured: Measured) -> tuple[Figure, ...]:
    """Return each figure that a target names, with what was measured."""
    found = []
    for name in NAMES:
        wanted: float | None = getattr(target, name)
        if wanted is not None:
            got: float | None = getattr(measured, name)
            verdict = _judged(name, wanted, got, target)
            found.append(Figure(name=name, target=wanted, measured=got, verdict=verdict))
    return tuple(found)


def is_met(found: Sequence[Figure], measured: Measured) -> bool:
    """Return whether figures are met: one at least is, none is below, and no request failed."""
    verdicts = {one.verdict for one in found}
    return not measured.failed and "met" in verdicts and "below" not in verdicts


def overall(
    checks: Sequence[Check], tiers: Sequence[TierRun], *, targets: Sequence[Target]
) -> Verdict:
    """Return what a whole run is worth.

    Args:
        checks: Every check, those that were left out as `skipped`.
        tiers: What was measured.
        targets: What the entry promises; a speed that nobody measured makes the run incomplete.
    """
    outcomes = {one.outcome for one in checks}
    if "failed" in outcomes or any(one.failed for one in tiers):
        return "failed"
    measured = {(one.task, one.shape, one.concurrency) for one in tiers}
    if not checks or "skipped" in outcomes or set(speeds(targets)) - measured:
        return "incomplete"
    below = any(figure.verdict == "below" for one in tiers for figure in one.figures)
    return "below target" if below else "passed"


def lowest(tiers: Sequence[TierRun]) -> str:
    """Return the tier that all of the speeds reached, empty for none."""
    reached = [TIERS.index(one.reached) if one.reached else -1 for one in tiers]
    return TIERS[min(reached)] if reached and min(reached) >= 0 else ""


def _judged(name: FigureName, wanted: float, got: float | None, target: Target) -> FigureVerdict:
    if got is None or (name == "tput" and _is_of_a_larger_batch(target)):
        return "not judged"
    slack = target.tolerance
    met = got <= wanted * (1 + slack) if name == "ttft_ms" else got >= wanted * (1 - slack)
    return "met" if met else "below"


def _is_of_a_larger_batch(target: Target) -> bool:
    """Whether a speed for all users is more than the named users could have together.

    Entries name `tput` for a full batch beside a concurrency of 1, where it cannot be measured;
    upstream's own reports leave that column out.
    """
    if target.tput is None or target.tput_user is None:
        return False
    return target.tput > target.tput_user * max(1, target.concurrency) * BATCH_SLACK


def claimed(verdict: Verdict, tiers: Sequence[TierRun]) -> str:
    """Return the tier that a run reached, empty where nothing may be claimed of it."""
    return lowest(tiers) if verdict in CLAIMS else ""


def marked(verdict: Verdict, *, modified: bool, ahead: bool = False) -> str:
    """Return a verdict with what must be known with it: who ran it, and that its day is wrong."""
    marks = [
        *(["by a modified ttctl"] if modified else []),
        *(["dated in the future"] if ahead else []),
    ]
    return f"{verdict} ({', '.join(marks)})" if marks else verdict
