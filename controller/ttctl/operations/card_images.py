# SPDX-License-Identifier: Apache-2.0
"""Which images serve an entry for a card: the validated one, or ours from the same pins?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, OfflineError
from ttctl.model.plan import AS_NEEDED
from ttctl.model.prebuilt import Prebuilt
from ttctl.rules.images import prebuilt, specs_for
from ttctl.rules.obtain import Present, how_to_obtain
from ttctl.rules.recipe import (
    DEFAULT_UID,
    CannotBuild,
    SourceBuild,
    named_commits,
    part_of,
    recipe_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.commit import ResolvedCommit
    from ttctl.model.image import BaseImage, ImageSpec, LocalSource
    from ttctl.model.pins import Pins
    from ttctl.model.plan import How
    from ttctl.model.prebuilt import Obtain
    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of an entry's image beyond its pins."""

    how: How = AS_NEEDED
    sources: tuple[LocalSource, ...] = ()
    """Checkouts in place of pinned commits."""
    uid: int = DEFAULT_UID
    """User id that an image of ours runs as."""
    locked: str = ""
    """The prebuilt image that a lock names, by its digest; nobody is asked where it is here."""
    unlocked: bool = False
    """Keep tags and short commits as they are and ask nobody: for a rendering that is marked so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardImages:
    """The images of an entry, the last of which is the engine's."""

    images: tuple[ImageSpec, ...]
    obtain: Obtain
    commits: tuple[ResolvedCommit, ...] = ()
    """The full commits, where it is built."""
    pins: tuple[tuple[str, str], ...] = ()
    """What a lock keeps of them: component and commit, of a checkout its hash."""
    unvalidated: tuple[str, ...] = ()
    """Components that are built from a checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """How ttctl would build the image, and why it cannot."""

    recipe: SourceBuild | CannotBuild
    images: tuple[ImageSpec, ...] = ()
    commits: tuple[ResolvedCommit, ...] = ()
    refusal: OfflineError | None = None


def card_images(
    world: World, pins: Pins, base: BaseImage, *, name: str, wish: Wish | None = None
) -> CardImages:
    """Return the images of an entry's pins, and how its engine's is had.

    Args:
        name: What the engine's image is called where it is pulled.

    Raises:
        OfflineError: It is not here, and nobody could be asked for it or its commits.
        EngineError: It is in no registry, or `--pull never` forbids it, and it cannot be built.
        PrivilegeError: The place's registry asks for a login.
    """
    wish = wish or Wish()
    there = _prebuilt(world, pins, wish)
    # A rendering asks nobody, the engine neither.
    here = not wish.unlocked and world.engine.has_image(there.pulled_as)
    goes_first = (there.state == "there" or here) and not wish.how.build and not wish.sources
    own = _Own(recipe=CannotBuild(reason="the validated image is there")) if goes_first else None
    own = own or _own(world, pins, base, wish)
    asks = bool(own.images) and not wish.unlocked
    built = asks and world.engine.has_image(own.images[-1].reference)
    obtain = how_to_obtain(
        there,
        own.recipe,
        present=Present(prebuilt=here, own=built),
        how=wish.how,
        offline=world.site.is_offline and not wish.unlocked,
    )
    if obtain.way == "refuse":
        silent = there.state == "silent" or world.site.is_offline
        raise own.refusal or _refused(pins, obtain, silent=silent)
    if not obtain.own:
        one = prebuilt(name, there.pulled_as, digest=there.digest, reason=obtain.reason)
        return CardImages(images=(one,), obtain=obtain)
    return _ours(own, obtain)


def _ours(own: _Own, obtain: Obtain) -> CardImages:
    *parents, last = own.images
    recipe = own.recipe
    return CardImages(
        images=(*parents, replace(last, reason=obtain.reason)),
        obtain=obtain,
        commits=own.commits,
        pins=recipe.commits if isinstance(recipe, SourceBuild) else (),
        unvalidated=recipe.unvalidated if isinstance(recipe, SourceBuild) else (),
    )


def _prebuilt(world: World, pins: Pins, wish: Wish) -> Prebuilt:
    """Return what is known of the validated image; a registry is asked only where it matters."""
    if wish.locked and wish.how.pull != "always":
        digest = wish.locked.rpartition("@")[2]
        if world.site.is_offline:
            why = "this place is set to use no network"
            return Prebuilt(reference=wish.locked, state="unasked", digest=digest, why=why)
        return Prebuilt(reference=wish.locked, state="there", digest=digest)
    if wish.unlocked and pins.image:
        return Prebuilt(reference=pins.image, state="there")
    if wish.how.pull == "never" or wish.how.build or wish.sources:
        return Prebuilt(reference=pins.image, state="unasked", why="no registry was asked")
    return world.registry.find(pins.image, world.site)


def _own(world: World, pins: Pins, base: BaseImage, wish: Wish) -> _Own:
    repositories = world.commits.repositories
    first = recipe_for(pins, repositories=repositories, sources=wish.sources, uid=wish.uid)
    if isinstance(first, CannotBuild):
        return _Own(recipe=first)
    if wish.unlocked:
        return _Own(recipe=first, images=_specs(world, first, base, wish.sources))
    named = named_commits(first)
    try:
        commits = world.commits.resolve(named, world.site)
    except OfflineError as error:
        reason = error.message.removesuffix(".").replace("The full", "the full", 1)
        return _Own(recipe=CannotBuild(reason=reason), refusal=error)
    full = {part_of(one.component): one.commit for one in commits}
    recipe = recipe_for(
        pins, repositories=repositories, commits=full, sources=wish.sources, uid=wish.uid
    )
    if isinstance(recipe, CannotBuild):
        return _Own(recipe=recipe)
    return _Own(recipe=recipe, images=_specs(world, recipe, base, wish.sources), commits=commits)


def _specs(
    world: World, recipe: SourceBuild, base: BaseImage, sources: Sequence[LocalSource]
) -> tuple[ImageSpec, ...]:
    recipes = {}
    name = recipe.image
    while name and name not in recipes:
        recipes[name] = world.recipes.recipe(name)
        name = recipes[name].parent
    return specs_for(
        recipes,
        (recipe.image,),
        base=base,
        render=world.recipes.render,
        values=dict(recipe.values),
        sources=sources,
    )


def _refused(pins: Pins, obtain: Obtain, *, silent: bool) -> OfflineError | EngineError:
    kind = OfflineError if silent else EngineError
    return kind(
        f"The image {pins.image or 'of this entry'!r} cannot be had.",
        why=f"{obtain.reason[0].upper()}{obtain.reason[1:]}.",
        evidence=f"{pins.recipe}: {pins.reason}",
        next_step="ttctl config site   # its registry and git_mirror",
    )
