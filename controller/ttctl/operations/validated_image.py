# SPDX-License-Identifier: Apache-2.0
"""What is known of an entry's validated image, here and in a registry?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.prebuilt import Prebuilt

if TYPE_CHECKING:
    from ttctl.model.pins import Pins
    from ttctl.model.protocols import World
    from ttctl.operations.card_images import Wish


def known_image(world: World, pins: Pins, wish: Wish) -> Prebuilt:
    """Return what is known of the validated image; a registry is asked only where it matters."""
    if pins.is_derived:
        return Prebuilt(reference="", state="absent", why=f"no image of {pins.recipe} is published")
    if "@" in wish.locked and wish.how.pull != "always":
        return _locked(world, pins, wish)
    if wish.unlocked and pins.image:
        return Prebuilt(reference=pins.image, state="there")
    if wish.how.pull == "never" or wish.own:
        return Prebuilt(
            reference=_as_named_here(world, pins), state="unasked", why="no registry was asked"
        )
    return world.registry.find(pins.image, world.site)


def _locked(world: World, pins: Pins, wish: Wish) -> Prebuilt:
    """Return the image that a lock names, by the mirror that the place names now.

    Where it is here by another mirror's name, that one serves.
    """
    digest = wish.locked.rpartition("@")[2]
    known = Prebuilt(reference=wish.locked, state="locked", digest=digest, user=wish.locked_user)
    mirrored = replace(known, reference=world.registry.mirrored(pins.image, world.site))
    other = mirrored.pulled_as != wish.locked
    if _last(pins.image) == _last(wish.locked) and not (
        other and world.engine.has_image(wish.locked)
    ):
        known = mirrored
    if world.site.is_offline:
        return replace(known, state="unasked", why="this place is set to use no network")
    return known


def _last(reference: str) -> str:
    """Return the last word of an image's name, without its tag and digest."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _as_named_here(world: World, pins: Pins) -> str:
    """Return the image as the place's mirror names it, as upstream does where it is here so."""
    if not pins.image:
        return ""
    mirrored = world.registry.mirrored(pins.image, world.site)
    is_here = world.engine.has_image
    return pins.image if not is_here(mirrored) and is_here(pins.image) else mirrored


def as_here(world: World, there: Prebuilt) -> Prebuilt:
    """Return what is known of an image that is here: by its digest, and whom it starts as."""
    config = world.engine.config_of(there.pulled_as) if not (there.digest and there.user) else None
    if config is None:
        return there
    host, slash, name = there.reference.partition("@")[0].rpartition("/")
    known = dict(one.split("@", 1) for one in config.digests if "@" in one)
    digest = there.digest or known.get(f"{host}{slash}{name.partition(':')[0]}", "")
    return replace(there, digest=digest, user=there.user or config.user)
