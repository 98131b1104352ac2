# SPDX-License-Identifier: Apache-2.0
"""How much room do images take that are pulled and built, and is it there? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.match import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ttctl.model.image import ImageSpec
    from ttctl.model.plan import Plan
    from ttctl.model.prebuilt import Layer

UNPACKED = 4
"""How many times its compressed size a layer takes once it is unpacked, rounded up.

Source: measured, `docker save` against the same through `gzip -6`: 3.7 for this project's image of
vLLM and torch for the processor, 2.7 for its base image alone.
"""


GB = 1_000_000_000
GIB = 1 << 30
BUILD_BYTES = {"base": 300_000_000, "torch": 2_000_000_000, "vllm-cpu": 2_500_000_000}
"""Room that a build takes at its height, layers and unpacked stages together. Estimates, rounded up
from the image sizes that `make bench` prints; images that are not listed take little."""
OTHER_BUILD_BYTES = 200_000_000


def built_bytes(images: Iterable[ImageSpec], plan: Plan) -> int:
    """Return the room that the builds of a plan take at their height, in bytes."""
    return sum(
        image.disk_gb * GB or BUILD_BYTES.get(image.name, OTHER_BUILD_BYTES)
        for image in images
        if plan.wants("build", image.name)
    )


def pull_bytes(layers: Sequence[Layer], here: Iterable[Sequence[str]]) -> int:
    """Return the room that a pull takes at its height, in bytes: what is sent, and it unpacked.

    Args:
        layers: Of the image, from the bottom up.
        here: The layers' names of each image that is here, in the same order; those that begin
            as this one does have its first layers already.

    Source: https://docs.docker.com/engine/storage/drivers/ - layers are shared by images that have
    them and all below them in common.
    """
    shared = max((_shared(layers, names) for names in here), default=0)
    sent = sum(one.size_bytes for one in layers[shared:])
    return sent * (1 + UNPACKED)


def room_finding(pulled: int | None, built: int = 0, *, free: int, root: Path) -> Finding:
    """Return whether the images that are pulled and built have room.

    Args:
        pulled: Bytes that pulls take; None where no registry told.
        built: Bytes that builds take.
        free: Bytes of the file system that holds the engine's images.
        root: Where that is.
    """
    if pulled is None and built <= free:
        text = f"how much room the image takes below {root} is not known: no registry told"
        return Finding(subject="disk", verdict="unknown", summary=text)
    needed = built + (pulled or 0)
    have = f"{free / GIB:.1f} GiB are here"
    text = f"{needed / GIB:.1f} GiB below {root} are needed for images, {have}"
    if needed <= free:
        return Finding(subject="disk", verdict="ok", summary=text)
    return Finding(subject="disk", verdict="blocked", summary=text, next_step=FREE)


FREE = "docker system df   # then docker image prune, or another data-root"


def _shared(layers: Sequence[Layer], names: Sequence[str]) -> int:
    for number, (layer, name) in enumerate(zip(layers, names, strict=False)):
        if layer.name != name:
            return number
    return min(len(layers), len(names))
