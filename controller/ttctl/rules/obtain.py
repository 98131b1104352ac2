# SPDX-License-Identifier: Apache-2.0
"""Is a validated image pulled, built, or here already; or why can it not be had? Pure.

Pulling goes first: what was validated is the image. A build makes it from the same pins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.prebuilt import Obtain
from ttctl.rules.recipe import CannotBuild

if TYPE_CHECKING:
    from ttctl.model.plan import How
    from ttctl.model.prebuilt import Prebuilt
    from ttctl.rules.recipe import SourceBuild


LOCKED = "the lock names an image that was built here"
_REASONS = {
    "there": "the validated image is in the registry",
    "locked": "the lock names the validated image",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the engine has already."""

    prebuilt: bool = False
    """The prebuilt image, by its digest where one is locked."""
    own: bool = False
    """The image that the recipe would build."""


def how_to_obtain(
    prebuilt: Prebuilt,
    recipe: SourceBuild | CannotBuild,
    *,
    present: Present,
    how: How,
    locked: bool = False,
    offline: bool = False,
) -> Obtain:
    """Return how the image of an entry is had, and why so.

    Args:
        prebuilt: What the registry says of the validated image.
        recipe: How it is built from source, or why it cannot be.
        locked: Whether a lock names an image of ours, which goes before the validated one.
        offline: Whether no network may be used, so that nothing can be built.
    """
    if how.build or locked or (not isinstance(recipe, CannotBuild) and recipe.unvalidated):
        return _built(recipe, present, how=how, offline=offline)
    if how.pull == "always" and prebuilt.reference:
        return _pulled(prebuilt, "--pull always")
    if present.prebuilt:
        return Obtain(way="here", reason="the validated image is here")
    if how.pull == "missing" and prebuilt.state in _REASONS:
        return Obtain(way="pull", reason=_REASONS[prebuilt.state])
    if present.own:
        reason = f"it was built here before; {_why_not_pulled(prebuilt, how)}"
        return Obtain(way="here", reason=reason, own=True)
    return _else_built(prebuilt, recipe, how=how, offline=offline)


def _built(
    recipe: SourceBuild | CannotBuild, present: Present, *, how: How, offline: bool
) -> Obtain:
    local = not isinstance(recipe, CannotBuild) and recipe.unvalidated
    of_ours = "a checkout stands in place of a pinned commit" if local else LOCKED
    wanted = how.build_word if how.build else of_ours
    if isinstance(recipe, CannotBuild):
        return Obtain(way="refuse", reason=f"{wanted}, but the image {recipe.sentence}")
    if present.own and not how.build:
        return Obtain(way="here", reason=f"{wanted}: it was built here before", own=True)
    if offline:
        reason = f"{wanted}, but this place is offline, and a build takes packages and sources"
        return Obtain(way="refuse", reason=reason)
    return Obtain(way="build", reason=wanted, own=True)


def _pulled(prebuilt: Prebuilt, reason: str) -> Obtain:
    if prebuilt.state == "there":
        return Obtain(way="pull", reason=reason)
    return Obtain(way="refuse", reason=f"{reason}, but {prebuilt.why}")


def _else_built(
    prebuilt: Prebuilt, recipe: SourceBuild | CannotBuild, *, how: How, offline: bool
) -> Obtain:
    why = _why_not_pulled(prebuilt, how)
    if isinstance(recipe, CannotBuild):
        return Obtain(way="refuse", reason=f"{why}, and the image {recipe.sentence}")
    if offline:
        return Obtain(way="refuse", reason=f"{why}, and nothing can be built offline")
    return Obtain(way="build", reason=f"{why}: it is built from the pinned commits", own=True)


def _why_not_pulled(prebuilt: Prebuilt, how: How) -> str:
    return "--pull never" if how.pull == "never" else prebuilt.why
