# SPDX-License-Identifier: Apache-2.0
"""Get what a stack needs before it starts: its images, its weights. Nothing is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ttctl.model.plan import Plan
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire, plan_for
from ttctl.operations.preflight import check_disk, preflight
from ttctl.rules.order import weights_step

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
    reason: str
    """Why this model and no other."""


def plan_build(world: World, request: Request, *, how: How) -> tuple[Desired, Plan]:
    """Return what `build` would do: the image steps of `up`, those that are skipped too."""
    understood(world, request)
    desired = desire(world, request)
    steps = plan_for(world, desired, how).steps
    of_images = tuple(
        step
        for step in steps
        if step.verb in IMAGE_VERBS or (step.verb == "skip" and step.subject.startswith("image "))
    )
    return desired, Plan(stack=desired.stack.name, steps=of_images)


def build(world: World, request: Request, *, how: How) -> Images:
    """Get the images of a model's stack: build them, or pull what is only pulled.

    Raises:
        TtctlError: One of its kinds for each thing that can be in the way.
    """
    started = world.clock.now()
    desired, plan = plan_build(world, request, how=how)
    if plan.changes:
        preflight(world, desired, plan)
        get_images(world, desired, plan)
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
    """Return what `pull` would do: one step."""
    understood(world, request)
    desired = desire(world, request)
    step = weights_step(desired.weights, complete=world.weights.is_complete(desired.weights))
    return desired, Plan(stack=desired.stack.name, steps=(step,))


def pull(world: World, request: Request) -> Fetched:
    """Fetch a model's weights and verify them.

    Raises:
        OfflineError: The hub does not answer, and nothing stands in.
    """
    desired, plan = plan_pull(world, request)
    weights = desired.weights
    if plan.changes:
        check_disk(world, desired, plan, root=world.cache)
        get_weights(world, desired)
    return Fetched(
        model=desired.spec.model,
        device=desired.spec.device,
        repository=weights.repository,
        revision=weights.revision,
        files=len(weights.files),
        size_bytes=sum(file.size_bytes for file in weights.files),
        folder=world.weights.path(weights),
        changed=bool(plan.changes),
        reason=desired.lock.reason,
    )


def get_images(world: World, desired: Desired, plan: Plan) -> None:
    """Do the image steps of `plan`, in its order.

    Raises:
        BuildError: An image could not be made; those before it stay.
    """
    reporter, base = world.reporter, desired.base
    for step in plan.steps:
        if step.verb in {"bootstrap", "pull"} and step.subject == base.reference:
            with reporter.step(f"{step.verb.capitalize()} the base image"):
                world.builder.obtain_base(base, world.site, reporter)
        elif step.verb == "pull":
            with reporter.step(f"Pull {step.subject}"):
                world.builder.pull(step.subject, reporter)
        elif step.verb == "build":
            image = next(image for image in desired.images if image.name == step.subject)
            with reporter.step(f"Build {image.name}"):
                world.builder.build(image, reporter)


def get_weights(world: World, desired: Desired) -> None:
    """Fetch the weights and verify them."""
    with world.reporter.step(f"Fetch weights {desired.weights.repository}"):
        world.weights.fetch(desired.weights, world.site, world.reporter)


def _done(plan: Plan, image: ImageSpec) -> Literal["built", "pulled", "here"]:
    if plan.wants("build", image.name):
        return "built"
    return "pulled" if plan.wants("pull", image.reference) else "here"
