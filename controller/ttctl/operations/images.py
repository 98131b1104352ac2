# SPDX-License-Identifier: Apache-2.0
"""Get the images of a plan: pull, bootstrap or build what is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
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
                world.builder.pull(step.subject, reporter)
        elif step.verb == "build":
            image = next(image for image in desired.images if image.name == step.subject)
            with reporter.step(f"Build {image.name}"):
                world.builder.build(image, reporter)
