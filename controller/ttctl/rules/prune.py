# SPDX-License-Identifier: Apache-2.0
"""Which images and caches has no stack a use for? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.litter import Litter
from ttctl.rules.dotenv import values_in
from ttctl.rules.several import CACHE, kind_of
from ttctl.rules.written import images_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.engine_files import EngineCache
    from ttctl.model.litter import OwnImage
    from ttctl.model.lock import Lock

YOUNG_S = 3600
"""An image that was made since may be of a command that has not locked it yet."""


def named_by(lock: Lock, compose: str) -> frozenset[str]:
    """Return the references that a state of a stack names, in its lock and in its compose file."""
    beside = (one.image for one in lock.beside if one.image)
    locked = (one.reference for one in lock.images)
    return frozenset((lock.base.reference, *locked, *beside, *images_of(compose)))


def caches_in(dotenv: str) -> frozenset[str]:
    """Return the folders of caches that a state of a stack mounts."""
    return frozenset(path for name, path in values_in(dotenv).items() if kind_of(name) == CACHE)


def unnamed(
    images: Iterable[OwnImage], *, named: frozenset[str], used: frozenset[str], now: int
) -> tuple[Litter, ...]:
    """Return the images that no state names, no container is of, and no command just made.

    Args:
        images: Those with ttctl's label.
        named: References that states of stacks name.
        used: Ids of images that containers are of.
        now: Seconds since 1970.
    """
    return tuple(
        Litter(
            kind="image",
            name=one.reference,
            why="no stack and no generation names it",
            size_bytes=one.size_bytes,
        )
        for one in images
        if one.reference not in named and one.image_id not in used and now - one.made_at >= YOUNG_S
    )


def unmounted(caches: Iterable[EngineCache], *, mounted: frozenset[str]) -> tuple[Litter, ...]:
    """Return the caches of engines that no state and no container mounts, nor a part of them."""
    return tuple(
        Litter(
            kind="cache",
            name=one.name,
            why="no stack and no generation mounts it; made anew it takes minutes",
            size_bytes=one.size_bytes,
            target=str(one.path),
        )
        for one in caches
        if not any(each == str(one.path) or each.startswith(f"{one.path}/") for each in mounted)
    )
