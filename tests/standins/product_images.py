# SPDX-License-Identifier: Apache-2.0
"""The product's own images, built by the product where they are not here yet."""

from __future__ import annotations

from functools import cache

from ttctl.cli.session import Flags, Session
from ttctl.model.spec import Request
from ttctl.operations.desire import desire, plan_for
from ttctl.operations.fetch import get_images


@cache
def product_images() -> dict[str, str]:
    """Return name to reference of the images that serve demo-llama on the CPU."""
    world = Session(Flags(quiet=True)).world
    desired = desire(world, Request(model="demo-llama", name="product-images"))
    get_images(world, desired, plan_for(world, desired))
    return {image.name: image.reference for image in desired.images}
