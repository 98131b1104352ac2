# SPDX-License-Identifier: Apache-2.0
"""Which steps lead from what is seen to what is wanted. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.plan import Plan, Step
from ttctl.rules.compose import config_hash
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.plan import Verb
    from ttctl.model.service import ContainerState, ServiceSpec, Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is seen of a stack before anything is done."""

    images: frozenset[str]
    """References of the images that are here."""
    weights_complete: bool
    has_key: bool
    folder_matches: bool
    """Whether the rendered folder holds exactly what would be rendered."""
    containers: tuple[ContainerState, ...]


def steps_to_up(
    stack: Stack,
    images: tuple[ImageSpec, ...],
    *,
    base: BaseImage,
    weights: LockedWeights,
    observed: Observed,
) -> Plan:
    """Return what `up` does, in order; a step that is not needed says why it is skipped."""
    steps = [
        *_image_steps(images, base=base, present=observed.images),
        _weights_step(weights, complete=observed.weights_complete),
        _step_or_skip(
            "key", "gateway key", "no key was made yet", "made before", needed=not observed.has_key
        ),
        _step_or_skip(
            "write",
            "rendered folder",
            "it is not there, or differs from what this plan renders",
            "it holds exactly this plan",
            needed=not observed.folder_matches,
        ),
        *(_service_step(stack, service, observed) for service in stack.services),
        *_orphan_steps(stack, observed.containers),
        Step(verb="wait", subject="ready", reason="until a real completion has come back"),
    ]
    return Plan(stack=stack.name, steps=tuple(steps))


def steps_to_down(stack: str, containers: tuple[ContainerState, ...]) -> Plan:
    """Return what `down` does."""
    if not containers:
        nothing = Step(verb="skip", subject=stack, reason="no container of this stack is here")
        return Plan(stack=stack, steps=(nothing,))
    steps = [
        Step(
            verb="remove",
            subject=container.service,
            reason=f"{container.state}; it is stopped first and has its whole grace time",
        )
        for container in containers
    ]
    return Plan(stack=stack, steps=tuple(steps))


def _image_steps(
    images: tuple[ImageSpec, ...], *, base: BaseImage, present: frozenset[str]
) -> list[Step]:
    steps: list[Step] = []
    needed = _needed(images, present)
    own = [image for image in images if not image.prebuilt]
    if own and own[0].name in needed and base.reference not in present:
        verb: Verb = "bootstrap" if base.origin == "bootstrapped" else "pull"
        steps.append(Step(verb=verb, subject=base.reference, reason=base.reason))
    for image in images:
        if image.name not in needed:
            here = image.reference in present
            reason = f"{image.reference} is here" if here else "nothing is built on it now"
            steps.append(Step(verb="skip", subject=f"image {image.name}", reason=reason))
        elif image.prebuilt:
            reason = "the site settings name this image"
            steps.append(Step(verb="pull", subject=image.reference, reason=reason))
        else:
            reason = f"{image.reference} is not here"
            steps.append(Step(verb="build", subject=image.name, reason=reason))
    return steps


def _needed(images: tuple[ImageSpec, ...], present: frozenset[str]) -> set[str]:
    """Return the images that must be made: a parent only where something is built on it."""
    needed: set[str] = set()
    for image in reversed(images):
        children = [one.name for one in images if one.parent == image.reference]
        wanted = not children or not needed.isdisjoint(children)
        if wanted and image.reference not in present:
            needed.add(image.name)
    return needed


def _weights_step(weights: LockedWeights, *, complete: bool) -> Step:
    subject = f"weights {weights.repository}"
    if complete:
        return Step(verb="skip", subject=subject, reason="every file is here and verified")
    size = sum(file.size_bytes for file in weights.files)
    reason = f"{len(weights.files)} files, {size / 1e6:.1f} MB, are not all here"
    return Step(verb="fetch", subject=subject, reason=reason)


def _service_step(stack: Stack, service: ServiceSpec, observed: Observed) -> Step:
    wanted = config_hash(stack, service)
    own = [one for one in observed.containers if one.service == service.name]
    if not own:
        return Step(verb="start", subject=service.name, reason="no container of it is here")
    found = own[0]
    if found.config_hash != wanted:
        reason = "its settings changed: it is recreated"
        return Step(verb="start", subject=service.name, reason=reason)
    if found.state != "running":
        reason = f"its container is {found.state} (exit code {found.exit_code})"
        return Step(verb="start", subject=service.name, reason=reason)
    if found.health == "unhealthy":
        return Step(verb="start", subject=service.name, reason="it is unhealthy: it is recreated")
    if service.name == GATEWAY_SERVICE and not observed.has_key:
        return Step(verb="start", subject=service.name, reason="it knows another key: recreated")
    return Step(verb="skip", subject=service.name, reason="it runs as wanted")


def stuck(containers: tuple[ContainerState, ...], *, new_key: bool) -> tuple[str, ...]:
    """Return the services whose container compose would leave as it is, though it does not work.

    The gateway reads its keys when it starts, so one that was started before knows no new key.
    """
    return tuple(
        container.service
        for container in containers
        if container.health == "unhealthy"
        or container.state in {"paused", "dead", "restarting"}
        or (new_key and container.service == GATEWAY_SERVICE)
    )


def _orphan_steps(stack: Stack, containers: tuple[ContainerState, ...]) -> list[Step]:
    wanted = {service.name for service in stack.services}
    return [
        Step(verb="remove", subject=container.service, reason="the plan has no such service")
        for container in containers
        if container.service not in wanted
    ]


def _step_or_skip(
    verb: Verb, subject: str, because: str, because_not: str, *, needed: bool
) -> Step:
    if needed:
        return Step(verb=verb, subject=subject, reason=because)
    return Step(verb="skip", subject=subject, reason=because_not)
