# SPDX-License-Identifier: Apache-2.0
"""What has to go before a stack's services start? Pure: compose would leave it, or trip over it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.model.plan import Step
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.plan import Plan
    from ttctl.model.service import Stack
    from ttctl.rules.reconcile import Observed

NETWORKS = "networks"
"""Subject of the step that removes a stack's networks, and its containers with them."""
HALF_STARTED = re.compile(
    r"\bid already in use\b|\btask (\S+ )?already exists\b|start shim: .*\bfile exists\b"
    r"|\bcontainer with (given ID already|id) exists\b"
)
"""What an engine says of a container that another part of it began to start before it was killed.

It can never be started; one that is made anew has another id. Seen with Docker 20.10 and containerd
1.6, of which the first was killed.
"""
STUCK = frozenset({"paused", "dead", "restarting"})
"""States in which compose leaves a container as it is, though it does not work."""


def left_over(stack: Stack, own: Sequence[ContainerState]) -> str:
    """Return why a service's containers are not left to compose; empty for the one it has.

    Compose makes a successor under the name `ID_NAME` and renames it in the end: a command that
    was killed in between leaves two, of which compose would keep either.
    """
    if len(own) > 1:
        return f"{len(own)} containers of it are here, which a killed command left: one is made"
    if own[0].name != f"{stack.project}-{own[0].service}-1":
        return f"its container is called {own[0].name}, as a killed command left it"
    return ""


def removals(stack: Stack, services: Sequence[Step], observed: Observed) -> list[Step]:
    """Return what is removed before anything is started, and why."""
    if observed.cut_off:
        cut_off = ", ".join(observed.cut_off)
        reason = f"the gateway does not reach {cut_off} over them, though each container works"
        return [Step(verb="remove", subject=NETWORKS, reason=f"{reason}; those go with them")]
    starts = {one.subject for one in services if one.verb == "start"}
    wanted = {one.name for one in stack.services}
    plain = any(not one.composed for one in observed.containers)
    found: dict[str, str] = {}
    for name in dict.fromkeys(one.service or one.name for one in observed.containers):
        own = [one for one in observed.containers if one.service == name]
        if name not in wanted:
            found[name] = "the plan has no such service"
        elif name in starts and (
            reason := _why_removed(stack, own, plain=plain, new_key=not observed.has_key)
        ):
            found[name] = reason
    return [Step(verb="remove", subject=name, reason=reason) for name, reason in found.items()]


def _why_removed(stack: Stack, own: Sequence[ContainerState], *, plain: bool, new_key: bool) -> str:
    """Return why compose cannot be left to start a service; empty where it can.

    The gateway reads its keys when it starts, so one that was started before knows no new key.
    """
    if plain:
        return "it goes with all that `docker run` made, networks too"
    if left := left_over(stack, own):
        return left
    found = own[0]
    ended = found.state == "exited"
    reasons = {
        f"it is {found.state}, and compose would leave it so": found.state in STUCK,
        # Compose joins a container to its further networks after it has made it, and takes one
        # that has its hash for whole: a gateway could be without its port for ever.
        "it was never started, and lacks a network: who made it was killed": (
            found.state == "created" and not _joined(stack, found)
        ),
        # An engine shows every container that it has stopped as unhealthy.
        "it is unhealthy, and compose would leave it so": (
            found.health == "unhealthy" and not ended
        ),
        "it has ended, and only one that is made anew leases its boards": (
            ended and bool(found.boards)
        ),
        f"the engine cannot start it any more: {found.start_error}": _is_half_started(found),
        # One that was not started yet will read them.
        "it was started with another key": (
            new_key and found.service == GATEWAY_SERVICE and found.state != "created"
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def mends(plan: Plan, containers: Sequence[ContainerState]) -> bool:
    """Return whether a plan removes what no start can come over, so that it is tried once more."""
    half = (one.service for one in containers if _is_half_started(one))
    return any(plan.wants("remove", subject) for subject in (NETWORKS, *half))


def _is_half_started(container: ContainerState) -> bool:
    unstarted = container.state in {"created", "exited"}
    return unstarted and bool(HALF_STARTED.search(container.start_error))


def _joined(stack: Stack, container: ContainerState) -> bool:
    """Return whether a container has every network that its service is to have."""
    wanted = (one.networks for one in stack.services if one.name == container.service)
    return {f"{stack.project}_{name}" for names in wanted for name in names} <= {
        *container.networks
    }
