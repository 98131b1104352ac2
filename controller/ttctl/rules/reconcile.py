# SPDX-License-Identifier: Apache-2.0
"""Which steps lead from what is seen to what is wanted? Pure: `up` does these, and no other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.model.plan import AS_NEEDED, Plan, Step
from ttctl.model.tls import Wish
from ttctl.rules.board_steps import board_steps
from ttctl.rules.compose import config_hash
from ttctl.rules.order import image_steps
from ttctl.rules.override_images import pull_steps
from ttctl.rules.removals import left_over, removals
from ttctl.rules.stack import GATEWAY_SERVICE
from ttctl.rules.taken_over import taken_over
from ttctl.rules.tls import certificate_steps
from ttctl.rules.to_end import AT_WORK
from ttctl.rules.weights_step import weights_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.lease import Leased
    from ttctl.model.lock import LockedWeights
    from ttctl.model.override import Override
    from ttctl.model.plan import How, Verb
    from ttctl.model.service import ServiceSpec, Stack
    from ttctl.model.weights import Supply

NO_TLS = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be here in the end."""

    stack: Stack
    images: tuple[ImageSpec, ...]
    """Parents before what is built on them."""
    base: BaseImage
    weights: tuple[LockedWeights, ...]
    override: Override | None = None
    """What the user laid over the compose file; None where nothing is."""
    tls: Wish = NO_TLS
    """What is wanted of the gateway's certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is seen before anything is done."""

    images: frozenset[str]
    """References of the images that are here."""
    weights: frozenset[LockedWeights]
    """Those of which every file is here."""
    has_key: bool
    folder_matches: bool
    """Whether the rendered folder holds exactly what would be rendered."""
    owner: str
    """The mark of this user's state folder, by which containers are ours."""
    containers: tuple[ContainerState, ...]
    """Whatever the engine shows; what has not our mark and the stack's name is passed over."""
    supplies: tuple[tuple[LockedWeights, Supply], ...] = ()
    """Where weights come from, of those that somebody looked for."""
    cut_off: tuple[str, ...] = ()
    """Services of it that its gateway does not reach, though all of its containers work."""
    leased: Leased | None = None
    """The boards that the stack would get; None where it gets none, or none is chosen yet."""


def reconcile(wanted: Wanted, observed: Observed, *, how: How = AS_NEEDED) -> Plan:
    """Return what `up` does, in order; a step that is not needed says why it is skipped.

    Raises:
        EngineError: An image that has to be pulled is not here, and `how` forbids to pull.
    """
    stack = wanted.stack
    ours = tuple(
        one
        for one in observed.containers
        if one.owner == observed.owner and one.stack == stack.name
    )
    seen = replace(observed, containers=ours)
    services = [_service_step(stack, one, seen, how=how) for one in stack.services]
    services = list(taken_over(services, ours, wanted={one.name for one in stack.services}))
    boards = board_steps(stack, services, seen.leased)
    stops = _stop_steps(stack, boards, ours)
    if stops:
        services = [_started_again(one) for one in services]
    supplies = dict(seen.supplies)
    steps = [
        *pull_steps(wanted.override, has_image=seen.images.__contains__, how=how),
        *image_steps(wanted.images, base=wanted.base, present=seen.images, how=how),
        *(
            weights_step(one, complete=one in seen.weights, supply=supplies.get(one))
            for one in wanted.weights
        ),
        _step_or_skip(
            "key", "gateway key", "no key was made yet", "made before", needed=not seen.has_key
        ),
        *certificate_steps(wanted.tls),
        *stops,
        *boards,
        _step_or_skip(
            "write",
            "rendered folder",
            "it is not there, or differs from what this plan renders",
            "it holds exactly this plan",
            needed=not seen.folder_matches,
        ),
        *removals(stack, services, seen),
        *services,
        _wait_step(how),
    ]
    return Plan(stack=stack.name, steps=tuple(steps), override=wanted.override)


def _service_step(stack: Stack, service: ServiceSpec, observed: Observed, *, how: How) -> Step:
    own = [one for one in observed.containers if one.service == service.name]
    reason = _why_not_as_wanted(stack, service, own, observed)
    if not reason and how.recreate:
        reason = "--force-recreate"
    if reason:
        return Step(verb="start", subject=service.name, reason=reason)
    return Step(verb="skip", subject=service.name, reason="it runs as wanted")


def _why_not_as_wanted(
    stack: Stack, service: ServiceSpec, own: Sequence[ContainerState], observed: Observed
) -> str:
    if not own:
        return "no container of it is here"
    if observed.cut_off:
        return "its networks are made anew"
    if left := left_over(stack, own):
        return left
    found = own[0]
    reasons = {
        "its settings changed: it is recreated": found.config_hash != config_hash(stack, service),
        f"its container is {found.state} (exit code {found.exit_code})": found.state != "running",
        "it is unhealthy: it is recreated": found.health == "unhealthy",
        "it knows another key: recreated": (
            found.service == GATEWAY_SERVICE and not observed.has_key
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _stop_steps(
    stack: Stack, boards: Sequence[Step], containers: Sequence[ContainerState]
) -> list[Step]:
    """Return the stop of a stack whose boards are leased anew: how its engine ended is kept."""
    leases = any(one.verb == "lease" for one in boards)
    if not leases or not any(one.boards and one.state in AT_WORK for one in containers):
        return []
    reason = "it has boards that are leased anew; each service has its whole grace time"
    return [Step(verb="stop", subject=f"stack {stack.name}", reason=reason)]


def _started_again(step: Step) -> Step:
    if step.verb != "skip":
        return step
    return replace(step, verb="start", reason="it is stopped with the engine")


def _wait_step(how: How) -> Step:
    if how.wait:
        return Step(verb="wait", subject="ready", reason="until a real completion has come back")
    return Step(verb="skip", subject="ready", reason="--no-wait: whether it answers is not asked")


def _step_or_skip(
    verb: Verb, subject: str, because: str, because_not: str, *, needed: bool
) -> Step:
    if needed:
        return Step(verb=verb, subject=subject, reason=because)
    return Step(verb="skip", subject=subject, reason=because_not)
