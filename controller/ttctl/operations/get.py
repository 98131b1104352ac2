# SPDX-License-Identifier: Apache-2.0
"""Get images and weights one after the other, each in a step of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    from ttctl.model.image import ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.plan import Plan, Step
    from ttctl.model.protocols import Reporter, World
    from ttctl.operations.desire import Desired


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
                world.builder.pull(step.subject, reporter, name=tag_of(desired, step))
        elif step.verb == "build":
            image = next(image for image in desired.images if image.name == step.subject)
            with reporter.step(f"Build {image.name}"):
                make(world, image, reporter)


def make(
    world: World, image: ImageSpec, reporter: Reporter, *, cancel: threading.Event | None = None
) -> None:
    """Build an image, and hold it against what its recipe promises; setting `cancel` ends that.

    Raises:
        BuildError: A step failed, or the image's own `verify` did.
    """
    world.builder.build(image, reporter, cancel=cancel)
    if image.verify:
        world.builder.check(image, reporter, cancel=cancel)


def tag_of(desired: Desired, step: Step) -> str:
    """Return the tag of what a step pulls: who knows no lock finds it by nothing else."""
    return next((one.tag for one in desired.images if one.reference == step.subject), "")


def wanted_weights(desired: Desired, plan: Plan) -> tuple[LockedWeights, ...]:
    """Return the weights that a plan fetches, of whichever engine."""
    return tuple(
        one for one in desired.all_weights if plan.wants("fetch", f"weights {one.repository}")
    )


def get_weights(world: World, weights: LockedWeights) -> None:
    """Fetch weights and verify them."""
    with world.reporter.step(f"Fetch weights {weights.repository}"):
        world.weights.fetch(weights, world.site, world.reporter)
