# SPDX-License-Identifier: Apache-2.0
"""Which images serve an entry for a card: the validated one, or ours from the same pins?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import OfflineError
from ttctl.model.commit import ResolvedCommit
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.validated_image import as_here, known_image
from ttctl.rules.images import prebuilt, specs_for
from ttctl.rules.not_had import not_had
from ttctl.rules.obtain import Present, how_to_obtain
from ttctl.rules.recipe import (
    DEFAULT_UID,
    CannotBuild,
    SourceBuild,
    named_commits,
    no_checkout,
    part_of,
    recipe_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.commit import NamedCommit
    from ttctl.model.image import BaseImage, ImageSpec, LocalSource
    from ttctl.model.pins import Pins
    from ttctl.model.plan import How
    from ttctl.model.prebuilt import Obtain, Prebuilt
    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of an entry's image beyond its pins."""

    how: How = AS_NEEDED
    sources: tuple[LocalSource, ...] = ()
    """Checkouts in place of pinned commits."""
    uid: int = DEFAULT_UID
    """User id that an image of ours runs as."""
    built: tuple[tuple[str, str], ...] = ()
    """(component, commit) of the image of ours that a lock names; it goes before a validated."""
    locked: str = ""
    """The prebuilt image that a lock names, by its digest; nobody is asked where it is here."""
    locked_user: str = ""
    """Whom that image starts as, where the lock says so."""
    unlocked: bool = False
    """Keep tags and short commits as they are and ask nobody: for a rendering that is marked so."""

    @property
    def own(self) -> bool:
        """Whether an image of ours is wanted, wherever a validated one is."""
        return bool(self.how.build or self.sources or self.built)


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
        UsageError: A checkout was named, and nothing is built from source.
        EngineError: It is in no registry, or `--pull never` forbids it, and it cannot be built.
        PrivilegeError: The place's registry asks for a login.
    """
    wish = wish or Wish()
    there = known_image(world, pins, wish)
    # A rendering asks nobody, the engine neither.
    here = bool(there.reference) and not wish.unlocked and world.engine.has_image(there.pulled_as)
    goes_first = not wish.own and _is_taken(there, wish, here=here)
    own = _Own(recipe=CannotBuild(reason="the validated image is there")) if goes_first else None
    own = own or _own(world, pins, base, wish)
    if wish.sources and isinstance(own.recipe, CannotBuild):
        # Otherwise the validated image would be taken, and the checkout not be looked at.
        raise own.refusal or no_checkout(pins, own.recipe, wish.sources[0].component)
    asks = bool(own.images) and not wish.unlocked
    built = asks and world.engine.has_image(own.images[-1].reference)
    obtain = how_to_obtain(
        there,
        own.recipe,
        present=Present(prebuilt=here, own=built),
        how=wish.how,
        locked=bool(wish.built),
        offline=world.site.is_offline and not wish.unlocked,
    )
    if obtain.way == "refuse":
        raise not_had(pins, there, obtain, how=wish.how, site=world.site, commits=own.refusal)
    if not obtain.own:
        there = as_here(world, there) if here else there
        one = prebuilt(
            name, there.pulled_as, digest=there.digest, reason=obtain.reason, user=there.user
        )
        tag = "" if "@" in there.reference else there.reference
        return CardImages(images=(replace(one, tag=tag),), obtain=obtain)
    return _ours(own, obtain)


def _is_taken(there: Prebuilt, wish: Wish, *, here: bool) -> bool:
    """Return whether it is the validated image or none, so that no recipe is needed."""
    if wish.how.pull == "always":
        return bool(there.reference)
    return here or (wish.how.pull == "missing" and there.state in {"there", "locked"})


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


def _own(world: World, pins: Pins, base: BaseImage, wish: Wish) -> _Own:
    repositories = world.commits.repositories
    first = recipe_for(pins, repositories=repositories, sources=wish.sources, uid=wish.uid)
    if isinstance(first, CannotBuild):
        return _Own(recipe=first)
    if wish.unlocked:
        return _Own(recipe=first, images=_specs(world, first, base, wish.sources))
    named = named_commits(first)
    try:
        commits = _known(named, wish) or world.commits.resolve(named, world.site)
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


def _known(named: Sequence[NamedCommit], wish: Wish) -> tuple[ResolvedCommit, ...]:
    """Return the commits that a lock has made full; nothing where the entry pins others by now."""
    full = dict(wish.built)
    found = [(one, full.get(part_of(one.component), "")) for one in named]
    if not all(commit.startswith(one.name) for one, commit in found):
        return ()
    return tuple(
        ResolvedCommit(component=one.component, name=one.name, commit=commit, origin="locked")
        for one, commit in found
    )


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
