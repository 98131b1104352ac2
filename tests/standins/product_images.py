# SPDX-License-Identifier: Apache-2.0
"""The product's own images, built by the product where they are not here yet."""

from __future__ import annotations

from functools import cache

from ttctl.cli.session import Flags, Session
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.get import get_images, make
from ttctl.operations.serving import recipes_of
from ttctl.operations.steps import plan_for
from ttctl.rules.images import specs_for

FURTHER = ("chat", "direct-cpu", "sd-cpu")
"""Those that the demo model's own stack does without."""


@cache
def product_images() -> dict[str, str]:
    """Return name to reference of the images of the CPU target's services."""
    world = Session(Flags(quiet=True)).world
    desired = desire(world, Request(model="demo-llama", name="product-images"))
    get_images(world, desired, plan_for(world, desired))
    recipes = {key: one for name in FURTHER for key, one in recipes_of(world, name).items()}
    further = specs_for(recipes, FURTHER, base=desired.base, render=world.recipes.render)
    for image in further:
        if not world.engine.has_image(image.reference):
            make(world, image, world.reporter)
    return {image.name: image.reference for image in (*desired.images, *further)}
