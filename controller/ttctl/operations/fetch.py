# SPDX-License-Identifier: Apache-2.0
"""Get what a stack needs before it starts: its images, its weights. Nothing is started."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ttctl.errors import OfflineError
from ttctl.model.plan import Plan
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire
from ttctl.operations.gather import gather
from ttctl.operations.get import get_weights
from ttctl.operations.preflight import preflight
from ttctl.operations.room import check_disk
from ttctl.operations.steps import plan_for
from ttctl.rules.find import is_meant
from ttctl.rules.supply_text import room_text
from ttctl.rules.weights_step import weights_step

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.image import ImageSpec
    from ttctl.model.plan import How
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired

IMAGE_VERBS = frozenset({"build", "bootstrap", "pull"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that a stack uses."""

    name: str
    reference: str
    done: Literal["built", "pulled", "here"]
    """What was done for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The images of a model's stack, all here now."""

    model: str
    device: str
    images: tuple[Image, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The weights of a model, all here and verified now."""

    model: str
    device: str
    repository: str
    revision: str
    """40 hex digits, empty for weights that ttctl ships."""
    files: int
    size_bytes: int
    folder: Path
    changed: bool
    """Whether something had to be fetched."""
    fetched_bytes: int
    """What the hub had to send for it."""
    free_bytes: int
    """Of the file system with the cache, afterwards."""
    unproven: tuple[str, ...]
    """Files of a folder of the user's that nothing could be held against."""
    reason: str
    """Why this model and no other."""


def plan_build(world: World, request: Request, *, how: How) -> tuple[Desired, Plan]:
    """Return what `build` would do: the image steps of `up`, those that are skipped too.

    The hub is not asked: which weights an image will read changes nothing of it.
    """
    understood(world, request)
    desired = desire(world, request, how=how, hub=False)
    made = plan_for(world, desired, how)
    of_images = tuple(
        step
        for step in made.steps
        if step.verb in IMAGE_VERBS or (step.verb == "skip" and step.subject.startswith("image "))
    )
    return desired, Plan(stack=desired.stack.name, steps=of_images, pull_bytes=made.pull_bytes)


def build(world: World, request: Request, *, how: How) -> Images:
    """Get the images of a model's stack: build them, or pull what is only pulled.

    Raises:
        TtctlError: One of its kinds for each thing that can be in the way.
    """
    started = world.clock.now()
    desired, plan = plan_build(world, request, how=how)
    if plan.changes:
        preflight(world, desired, plan)
        gather(world, desired, plan)
    return Images(
        model=desired.spec.model,
        device=desired.spec.device,
        images=tuple(
            Image(name=one.name, reference=one.reference, done=_done(plan, one))
            for one in desired.images
        ),
        seconds=world.clock.now() - started,
    )


def plan_pull(world: World, request: Request) -> tuple[Desired, Plan]:
    """Return what `pull` would do: one step, for the model alone, whatever stands beside it."""
    understood(world, request)
    desired = desire(world, replace(request, services=()))
    supply = world.weights.supply(desired.weights)
    complete = world.weights.is_complete(desired.weights)
    step = weights_step(desired.weights, complete=complete, supply=supply)
    room = room_text(supply, free_bytes=world.host.free_bytes(world.cache), cache=str(world.cache))
    step = step if complete else replace(step, reason=f"{step.reason}; {room}")
    return desired, Plan(stack=desired.stack.name, steps=(step,))


def pull(world: World, request: Request) -> Fetched:
    """Fetch a model's weights and verify them.

    Raises:
        OfflineError: The hub does not answer, and nothing stands in.
    """
    desired, plan = plan_pull(world, request)
    _check_wanted(world, request, desired)
    weights, fetched_bytes = desired.weights, 0
    if plan.changes:
        world.reporter.note(f"{plan.steps[0].subject}: {plan.steps[0].reason}")
        check_disk(world, desired, plan, root=world.cache)
        fetched_bytes = world.weights.supply(weights).fetched_bytes
        with world.store.pulling(world.reporter):
            get_weights(world, weights)
    return Fetched(
        model=desired.spec.model,
        device=desired.spec.device,
        repository=weights.repository,
        revision=weights.revision,
        files=len(weights.files),
        size_bytes=sum(file.size_bytes for file in weights.files),
        folder=world.weights.path(weights),
        changed=bool(plan.changes),
        fetched_bytes=fetched_bytes,
        free_bytes=world.host.free_bytes(world.cache),
        unproven=world.weights.supply(weights).unproven,
        reason=desired.lock.reason,
    )


def _check_wanted(world: World, request: Request, desired: Desired) -> None:
    """Refuse the weights of a model that only stands in: they are not what is to be prepared."""
    wanted = is_meant(world.catalog.specs(), request.model)
    if desired.spec.model in {spec.model for spec in wanted}:
        return
    raise OfflineError(
        f"The weights of {request.model!r} cannot be fetched.",
        why=f"{desired.lock.reason}.",
        evidence=f"{desired.spec.model} would stand in under `ttctl up`; nothing was fetched.",
        next_step="ttctl config site   # where the hub is, and whether this place is offline",
    )


def _done(plan: Plan, image: ImageSpec) -> Literal["built", "pulled", "here"]:
    if plan.wants("build", image.name):
        return "built"
    return "pulled" if plan.wants("pull", image.reference) else "here"
