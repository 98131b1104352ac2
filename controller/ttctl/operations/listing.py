# SPDX-License-Identifier: Apache-2.0
"""List the entries of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.operations.ground import ground_of
from ttctl.rules.advised import reported
from ttctl.rules.fitness import findings
from ttctl.rules.model_filter import filtered, fits
from ttctl.rules.satisfying import satisfies

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.model_page import Filter
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec


def fitting(world: World, device: str | None) -> Callable[[ModelSpec], bool]:
    """Return what says whether an entry fits this machine, by the judgement of a plan."""
    ground, advice = ground_of(world), world.catalog.advice()

    def judge(spec: ModelSpec) -> bool:
        found = findings(spec, ground, advice=advice, satisfies=satisfies)
        return fits(found, named=device is not None)

    return judge


def listed(world: World, wanted: Filter) -> tuple[ModelSpec, ...]:
    """Return the entries that a filter lets through, each with what is known against it."""
    return reported(filtered(world.catalog.specs(), wanted), world.catalog.advice())
