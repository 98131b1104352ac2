# SPDX-License-Identifier: Apache-2.0
"""When does compose put its containers in the place of those that `docker run` made? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.plan import Step

REASON = "`docker run` made it, and compose cannot start its neighbours on its network"


def taken_over(steps: Sequence[Step], containers: Iterable[ContainerState]) -> tuple[Step, ...]:
    """Return the services' steps: of containers that `docker run` made all stay, or none.

    The two have networks of their own, so that services of both would not find each other.
    """
    made = {one.service for one in containers if not one.composed}
    if all(step.verb == "skip" for step in steps):
        return tuple(steps)
    return tuple(
        replace(step, verb="start", reason=REASON)
        if step.verb == "skip" and step.subject in made
        else step
        for step in steps
    )
