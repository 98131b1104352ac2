# SPDX-License-Identifier: Apache-2.0
"""Make the text of every file of a rendered folder, except the lock's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.compose import compose_of
from ttctl.rules.dotenv import dotenv_text
from ttctl.rules.images import build_command, pull_reference, secret_words
from ttctl.rules.rootfs import DEBOOTSTRAP, PACKING
from ttctl.rules.source_tree import layout_command, tree_command
from ttctl.rules.stack import BIND

if TYPE_CHECKING:
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack

LOCK_NAME = "ttctl.lock"

Files = dict[str, tuple[str, bool]]


def render_files(
    world: World,
    *,
    lock: Lock,
    stack: Stack,
    images: tuple[ImageSpec, ...],
    base: BaseImage,
    gateway_config: str,
) -> Files:
    """Return path to (text, executable) of the folder's files."""
    own = tuple(image for image in images if not image.prebuilt)
    place = world.builder.place_files(own)
    values = _values(lock, stack, images, base)
    files: Files = {
        "compose.yaml": (world.recipes.yaml(compose_of(stack)), False),
        "gateway/haproxy.cfg": (gateway_config, False),
        "build.sh": (world.recipes.template("build.sh.j2", values), True),
        "README.md": (world.recipes.template("README.md.j2", values), False),
        ".env": (_dotenv(world, lock, stack, place.wheels), False),
    }
    for name, text in place.secrets:
        files[f"site/{name}"] = (text, False)
    for image in own:
        folder = f"images/{image.name}"
        files[f"{folder}/Dockerfile"] = (image.dockerfile, False)
        for name, text, executable in image.files:
            files[f"{folder}/{name}"] = (text, executable)
    return files


def _dotenv(world: World, lock: Lock, stack: Stack, wheels: tuple[str, ...]) -> str:
    return dotenv_text(
        {
            "TTCTL_BIND": BIND,
            "TTCTL_OWNER": world.store.owner(),
            "TTCTL_PORT": str(stack.port),
            "TTCTL_SECRETS": str(world.keys.secrets(stack.name)),
            "TTCTL_WEIGHTS": str(world.weights.path(lock.weights)),
            "TTCTL_WHEELS": ":".join(wheels),
        }
    )


def _values(
    lock: Lock, stack: Stack, images: tuple[ImageSpec, ...], base: BaseImage
) -> dict[str, object]:
    return {
        "lock": lock,
        "project": stack.project,
        "port": stack.port,
        "base": base,
        "base_pull": pull_reference(base),
        "debootstrap": DEBOOTSTRAP,
        "packing": PACKING,
        "images": [_image_values(image) for image in images],
    }


def _image_values(image: ImageSpec) -> dict[str, object]:
    folder = f"images/{image.name}"
    tree, given = f"{folder}/tree", secret_words("site")
    return {
        "name": image.name,
        "reference": image.reference,
        "prebuilt": image.prebuilt,
        "wheelhouse": image.wheelhouse,
        "command": build_command(image, context=folder, secrets="site"),
        "local": image.source is not None,
        "tree": image.tree,
        "layout": layout_command(context=folder, given=given, tree=tree),
        "plain": tree_command(image, tree=tree, bake=False),
        "bake": tree_command(image, tree=tree, bake=True),
    }
