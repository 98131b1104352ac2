# SPDX-License-Identifier: Apache-2.0
"""When does compose put its containers in the place of those that `docker run` made? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.plan import Step

REASON = "`docker run` made it, and compose cannot start its neighbours on its network"
BESIDE = "it goes with what `docker run` made beside it"


def taken_over(
    steps: Sequence[Step], containers: Collection[ContainerState], *, wanted: Collection[str]
) -> tuple[Step, ...]:
    """Return the services' steps: of a stack of which `docker run` made any, all stays, or none.

    The two have networks of their own, so that services of both would not find each other; and
    what is left of the one goes as a whole.

    Args:
        steps: One for each service.
        containers: The stack's own.
        wanted: Names of the services; a container of another one has to go, too.
    """
    made = {one.service for one in containers if not one.composed}
    stays = all(one.service in wanted for one in containers)
    if not made or (stays and all(step.verb == "skip" for step in steps)):
        return tuple(steps)
    return tuple(
        replace(step, verb="start", reason=REASON if step.subject in made else BESIDE)
        if step.verb == "skip"
        else step
        for step in steps
    )
