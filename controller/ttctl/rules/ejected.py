# SPDX-License-Identifier: Apache-2.0
"""How does a service that a user edited take the place of ours in a stack? Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, UsageError
from ttctl.model.ejected import NONE
from ttctl.model.image import ImageSpec
from ttctl.rules import fingerprint
from ttctl.rules.eject import sources_hash
from ttctl.rules.images import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.ejected import Ejected
    from ttctl.model.lock import LockedImage
    from ttctl.model.service import Stack

_FROM = re.compile(r"^FROM[ \t]+(\S+)(?:[ \t]+AS[ \t]+(\S+))?[ \t]*$", re.MULTILINE | re.IGNORECASE)


def folders_named(given: Sequence[str]) -> tuple[str, ...]:
    """Return the folders that `--from` names; none for `none`.

    Raises:
        UsageError: `none` stands beside others.
    """
    if NONE in given and len(given) > 1:
        raise UsageError(
            f"--from {NONE} stands for no folder at all.",
            why="Other folders were named beside it.",
            evidence=" ".join(f"--from {one}" for one in given),
            next_step="ttctl up --help",
        )
    return () if NONE in given else tuple(dict.fromkeys(given))


def folders_in(images: Iterable[LockedImage]) -> tuple[str, ...]:
    """Return the folders that a lock's images were built from."""
    return tuple(one.yours.partition("=")[2] for one in images if one.yours)


def image_for(one: Ejected, product: ImageSpec) -> ImageSpec:
    """Return the image of a folder, over the product's.

    Args:
        one: What the folder holds.
        product: The product's image of the same service, as this ttctl makes it here.

    Raises:
        BadFileError: Its Dockerfile stands on something else.
    """
    dockerfile = _on_product(one, product)
    print_ = fingerprint.of_image(
        dockerfile=dockerfile, files=one.files, parent_fingerprint=product.fingerprint
    )
    name = f"{one.service}-yours"
    return ImageSpec(
        name=name,
        reference=f"{REPOSITORY}/{name}:{print_[: fingerprint.SHORT]}",
        fingerprint=print_,
        parent=product.reference,
        dockerfile=dockerfile,
        files=one.files,
        unvalidated=product.unvalidated,
        yours=f"{one.service}={one.folder}",
        changed_since=sources_hash(product.files) != one.sources_sha256,
        user=product.user,
    )


def in_stack(stack: Stack, image: ImageSpec, *, service: str) -> Stack:
    """Return a stack in which a service runs another image."""
    services = (
        replace(one, image=image.reference) if one.name == service else one
        for one in stack.services
    )
    return replace(stack, services=tuple(services))


def with_child(images: Iterable[ImageSpec], child: ImageSpec) -> tuple[ImageSpec, ...]:
    """Return images with one more right behind the one that it stands on."""
    return tuple(
        found
        for one in images
        for found in ((one, child) if one.reference == child.parent else (one,))
    )


def _on_product(one: Ejected, product: ImageSpec) -> str:
    """Return the Dockerfile on the product's image of now, where it stood on that of then."""
    found = list(_FROM.finditer(one.dockerfile))
    stages = {match[2]: match for match in found if match[2]}
    last = found[-1] if found else None
    while last is not None and last[1] in stages and stages[last[1]].start() < last.start():
        last = stages[last[1]]
    if last is None or last[1] not in {one.image, product.reference}:
        raise BadFileError(
            f"The Dockerfile in {one.folder!r} does not stand on ttctl's image of the service.",
            why="How a stack runs a service fits what is built over that image only.",
            evidence=f"Found: FROM {last[1] if last else ''}. Expected: FROM {product.reference}.",
            next_step=f"edit {one.folder}/Dockerfile",
        )
    begin, end = last.span(1)
    return f"{one.dockerfile[:begin]}{product.reference}{one.dockerfile[end:]}"
