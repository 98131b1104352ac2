# SPDX-License-Identifier: Apache-2.0
"""Which speeds and known issues does an upstream entry name? What is not understood is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.upstream_values import Count, Map, Measured, Prose, mapping_of
from ttctl.model.pins import Issue, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

TIERS = ("functional", "complete", "target")


class Reference(BaseModel):
    """One of `perf_reference`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    isl: Count = 0
    osl: Count = 0
    max_concurrency: Count = 0
    image_height: Count = 0
    image_width: Count = 0
    task_type: Prose = ""
    targets: Map = Field(default_factory=dict)


class Figures(BaseModel):
    """One tier of a reference."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    ttft_ms: Measured = None
    tput_user: Measured = None
    tput: Measured = None
    tolerance: Measured = None


class KnownIssue(BaseModel):
    """One of `known_issues`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    workflow_type: Prose = ""
    task_name: Prose = ""
    reason: Prose = ""


def targets_of(found: list[object]) -> tuple[Target, ...]:
    """Return the speeds; a tier without a figure is none."""
    references = [Reference.model_validate(one) for one in found if isinstance(one, dict)]
    return tuple(target for reference in references for target in _targets(reference))


def issues_of(found: list[object]) -> tuple[Issue, ...]:
    """Return the issues that have a reason."""
    read = [KnownIssue.model_validate(one) for one in found if isinstance(one, dict)]
    return tuple(
        Issue(workflow=one.workflow_type, task=one.task_name, reason=one.reason)
        for one in read
        if one.reason
    )


def _targets(reference: Reference) -> Iterator[Target]:
    for tier in TIERS:
        figures = Figures.model_validate(mapping_of(reference.targets.get(tier)))
        if figures.ttft_ms or figures.tput_user or figures.tput:
            yield Target(
                task=reference.task_type,
                shape=_shape(reference),
                concurrency=reference.max_concurrency,
                tier=tier,
                ttft_ms=figures.ttft_ms,
                tput_user=figures.tput_user,
                tput=figures.tput,
                tolerance=_part(figures.tolerance),
            )


def _part(tolerance: float | None) -> float:
    """Return a tolerance; one that would let everything pass is none."""
    return tolerance if tolerance is not None and 0 < tolerance < 1 else 0.0


def _shape(reference: Reference) -> str:
    parts: list[str] = []
    if reference.isl or reference.osl:
        parts.append(f"{reference.isl}/{reference.osl}")
    if reference.image_height or reference.image_width:
        parts.append(f"{reference.image_width}x{reference.image_height}")
    return " ".join(parts)
