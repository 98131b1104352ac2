# SPDX-License-Identifier: Apache-2.0
"""Make the text of every file of a rendered folder, except the lock's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.service import node_variable
from ttctl.operations.render_hosts import host_files
from ttctl.rules import fingerprint
from ttctl.rules.dotenv import dotenv_text
from ttctl.rules.image_check import VERIFY, held_words, told_words
from ttctl.rules.images import build_command, pull_reference, secret_words
from ttctl.rules.override import not_carried
from ttctl.rules.place_variables import meanings
from ttctl.rules.prepare_script import Needs
from ttctl.rules.renderings import COMPOSE, files_of
from ttctl.rules.rootfs import DEBOOTSTRAP, PACKING
from ttctl.rules.source_tree import layout_command, tree_command

if TYPE_CHECKING:
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.lock import Lock, LockedWeights
    from ttctl.model.override import Override
    from ttctl.model.plan import StackForm
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.operations.serving import Serving

LOCK_NAME = "ttctl.lock"
NODE = "/dev/tenstorrent/"

Files = dict[str, tuple[str, bool]]


def render_files(
    world: World,
    *,
    lock: Lock,
    stack: Stack,
    serving: Serving,
    base: BaseImage,
    forms: tuple[StackForm, ...] = COMPOSE,
    override: Override | None = None,
) -> Files:
    """Return path to (text, executable) of the folder's files."""
    images = serving.images
    own = tuple(image for image in images if not image.prebuilt)
    place = world.builder.place_files(own)
    dotenv = {**dotenv_values(world, lock, stack, serving), "TTCTL_WHEELS": ":".join(place.wheels)}
    values = {
        **_values(lock, stack, images, base),
        "forms": forms,
        "further": serving.further,
        "variables": meanings(dotenv),
    }
    values["not_carried"] = not_carried(override) if override and forms != COMPOSE else ""
    files: Files = {
        **files_of(
            stack,
            forms,
            yaml=world.recipes.yaml,
            needs=_needs(lock, serving),
        ),
        **{path: (text, text.startswith("#!")) for path, text in serving.files.items()},
        "gateway/haproxy.cfg": (serving.gateway_config, False),
        "build.sh": (world.recipes.template("build.sh.j2", values), True),
        "README.md": (world.recipes.template("README.md.j2", values), False),
        ".env": (dotenv_text(dotenv), False),
    }
    files |= host_files(world, lock=lock, stack=stack, serving=serving, dotenv=dotenv, forms=forms)
    for name, text in place.secrets:
        files[f"site/{name}"] = (text, False)
    for image in own:
        folder = f"images/{image.name}"
        files[f"{folder}/Dockerfile"] = (image.dockerfile, False)
        for name, text, executable in image.files:
            files[f"{folder}/{name}"] = (text, executable)
        if image.verify:
            files[f"{folder}/{VERIFY}"] = (image.verify, True)
    return files


def _needs(lock: Lock, serving: Serving) -> tuple[Needs, ...]:
    weights = {one.service: one.weights for one in lock.beside}
    return (
        Needs(folders=serving.cache_folders, weights=lock.weights),
        *(
            Needs(service=name, folders=one.cache_folders, weights=weights.get(name))
            for name, one in serving.beside
        ),
    )


def is_unresolved(weights: LockedWeights) -> bool:
    """Return whether nobody has asked yet which commit of the weights is meant."""
    return weights.kind == "hub" and not weights.revision


def dotenv_values(world: World, lock: Lock, stack: Stack, serving: Serving) -> dict[str, str]:
    """Return what a stack needs of this place, by the variables of the .env file.

    A node is the one of its number until the leased boards are known, at the start.
    """
    weights = "" if is_unresolved(lock.weights) else str(world.weights.path(lock.weights))
    return {
        "TTCTL_BIND": stack.bind,
        "TTCTL_OWNER": world.store.owner(),
        "TTCTL_PORT": str(stack.port),
        "TTCTL_SECRETS": str(world.keys.secrets(stack.name)),
        "TTCTL_WEIGHTS": weights,
        **{node_variable(n): f"{NODE}{n}:{NODE}{n}" for n in range(stack.nodes)},
        **serving.place,
    }


def _beside(stack: Stack) -> list[str]:
    """Return what of the folder itself is mounted."""
    sources = (mount.source for service in stack.services for mount in service.mounts)
    return sorted({one.split("/")[1] for one in sources if one.startswith("./")})


def _is_served(stack: Stack, image: ImageSpec) -> bool:
    return any(service.image == image.reference for service in stack.services)


def hash_of_recipe_files(files: Files) -> str:
    """Hash what is the same in every place: not .env, and nothing under site/."""
    recipe = {
        path: text
        for path, (text, _) in files.items()
        if path.rpartition("/")[2] not in {".env", LOCK_NAME} and not path.startswith("site/")
    }
    return fingerprint.of_files(recipe)


def _values(
    lock: Lock, stack: Stack, images: tuple[ImageSpec, ...], base: BaseImage
) -> dict[str, object]:
    return {
        "lock": lock,
        "project": stack.project,
        "device": stack.device,
        "engine": stack.engine.name,
        "nodes": stack.nodes,
        "beside": _beside(stack),
        "served": {image.name for image in images if _is_served(stack, image)},
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
        "verified": bool(image.verify),
        "held": held_words(image),
        "told": told_words(image),
    }
