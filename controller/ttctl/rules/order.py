# SPDX-License-Identifier: Apache-2.0
"""Which steps lead from what is seen to what is wanted. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.model.plan import AS_NEEDED, Plan, Step
from ttctl.rules.board_steps import board_steps
from ttctl.rules.compose import config_hash
from ttctl.rules.stack import GATEWAY_SERVICE
from ttctl.rules.taken_over import taken_over
from ttctl.rules.weights_step import weights_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.lease import Leased
    from ttctl.model.lock import LockedWeights
    from ttctl.model.plan import How, Verb
    from ttctl.model.service import ServiceSpec, Stack
    from ttctl.model.weights import Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is seen of a stack before anything is done."""

    images: frozenset[str]
    """References of the images that are here."""
    weights: frozenset[LockedWeights]
    """Those of which every file is here."""
    has_key: bool
    folder_matches: bool
    """Whether the rendered folder holds exactly what would be rendered."""
    containers: tuple[ContainerState, ...]
    supplies: tuple[tuple[LockedWeights, Supply], ...] = ()
    """Where weights come from, of those that somebody looked for."""
    leased: Leased | None = None
    """The boards that the stack would get; None where it gets none, or none is chosen yet."""


def steps_to_up(
    stack: Stack,
    images: tuple[ImageSpec, ...],
    *,
    base: BaseImage,
    weights: Sequence[LockedWeights],
    observed: Observed,
    how: How = AS_NEEDED,
) -> Plan:
    """Return what `up` does, in order; a step that is not needed says why it is skipped.

    Raises:
        EngineError: An image that has to be pulled is not here, and `how` forbids to pull.
    """
    found = [_service_step(stack, one, observed, how=how) for one in stack.services]
    services = taken_over(found, observed.containers)
    supplies = dict(observed.supplies)
    steps = [
        *image_steps(images, base=base, present=observed.images, how=how),
        *(
            weights_step(one, complete=one in observed.weights, supply=supplies.get(one))
            for one in weights
        ),
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
        *board_steps(stack, services, observed.leased),
        *services,
        *_orphan_steps(stack, observed.containers),
        _wait_step(how),
    ]
    return Plan(stack=stack.name, steps=tuple(steps))


def image_steps(
    images: tuple[ImageSpec, ...], *, base: BaseImage, present: frozenset[str], how: How
) -> list[Step]:
    """Return how the images are had.

    Raises:
        EngineError: One has to be pulled, and `how` forbids it.
    """
    steps: list[Step] = []
    needed = {one.name for one in images if _again(one, how)} | _needed(images, present)
    own = [image for image in images if not image.prebuilt]
    again = how.pull == "always" and base.origin != "bootstrapped"
    if own and own[0].name in needed and (again or base.reference not in present):
        verb: Verb = "bootstrap" if base.origin == "bootstrapped" else "pull"
        steps.append(Step(verb=verb, subject=base.reference, reason=base.reason))
    steps += [_image_step(image, needed=needed, present=present, how=how) for image in images]
    _check_pulls(steps, how)
    return steps


def _again(image: ImageSpec, how: How) -> bool:
    return how.pull == "always" if image.prebuilt else how.build


def _image_step(image: ImageSpec, *, needed: set[str], present: frozenset[str], how: How) -> Step:
    here = image.reference in present
    if image.name not in needed:
        reason = f"{image.reference} is here" if here else "nothing is built on it now"
        reason += _marks(image)
        return Step(verb="skip", subject=f"image {image.name}", reason=reason)
    if image.prebuilt:
        named = image.reason or "the site settings name this image"
        reason = "--pull always" if _again(image, how) else named
        return Step(verb="pull", subject=image.reference, reason=reason)
    reason = how.build_word if here else f"{image.reference} is not here"
    if image.source is None and image.reason and not here:
        reason = image.reason
    return Step(verb="build", subject=image.name, reason=reason + _marks(image))


def _marks(image: ImageSpec) -> str:
    if image.source is not None:
        return f"; unvalidated: from {image.source.path}"
    named = " and ".join(image.unvalidated)
    mark = f"; unvalidated: on a checkout of {named}" if named else ""
    if not image.yours:
        return mark
    since = "; ttctl's own has changed since it was ejected" if image.changed_since else ""
    return f"; yours: from {image.yours.partition('=')[2]}{since}{mark}"


def _check_pulls(steps: list[Step], how: How) -> None:
    pulled = [step.subject for step in steps if step.verb == "pull"]
    if pulled and how.pull == "never":
        raise EngineError(
            f"The image {pulled[0]!r} is not here.",
            why="It can only be pulled, and `--pull never` forbids that.",
            evidence=f"To be pulled: {', '.join(pulled)}.",
            next_step=f"docker pull {pulled[0]}   # or ttctl up with --pull missing",
        )


def _needed(images: tuple[ImageSpec, ...], present: frozenset[str]) -> set[str]:
    """Return the images that must be made: a parent only where something is built on it."""
    needed: set[str] = set()
    for image in reversed(images):
        children = [one.name for one in images if one.parent == image.reference]
        wanted = not children or not needed.isdisjoint(children)
        if wanted and image.reference not in present:
            needed.add(image.name)
    return needed


def _wait_step(how: How) -> Step:
    if how.wait:
        return Step(verb="wait", subject="ready", reason="until a real completion has come back")
    return Step(verb="skip", subject="ready", reason="--no-wait: whether it answers is not asked")


def _service_step(stack: Stack, service: ServiceSpec, observed: Observed, *, how: How) -> Step:
    own = [one for one in observed.containers if one.service == service.name]
    reason = (
        _why_not_as_wanted(own[0], wanted=config_hash(stack, service), observed=observed)
        if own
        else "no container of it is here"
    )
    if not reason and how.recreate:
        reason = "--force-recreate"
    if reason:
        return Step(verb="start", subject=service.name, reason=reason)
    return Step(verb="skip", subject=service.name, reason="it runs as wanted")


def _why_not_as_wanted(found: ContainerState, *, wanted: str, observed: Observed) -> str:
    if found.config_hash != wanted:
        return "its settings changed: it is recreated"
    if found.state != "running":
        return f"its container is {found.state} (exit code {found.exit_code})"
    if found.health == "unhealthy":
        return "it is unhealthy: it is recreated"
    if found.service == GATEWAY_SERVICE and not observed.has_key:
        return "it knows another key: recreated"
    return ""


def stuck(containers: tuple[ContainerState, ...], *, new_key: bool) -> tuple[str, ...]:
    """Return the services whose container compose would leave as it is, though it does not work.

    The gateway reads its keys when it starts, so one that was started before knows no new key. What
    has ended leases no board: only a container that is made anew does before it is started.
    """
    return tuple(
        container.service
        for container in containers
        # An engine shows every container that it has stopped as unhealthy.
        if (container.health == "unhealthy" and container.state != "exited")
        or container.state in {"paused", "dead", "restarting"}
        or (container.boards and container.state == "exited")
        # One that was not started yet will read them.
        or (new_key and container.service == GATEWAY_SERVICE and container.state != "created")
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
