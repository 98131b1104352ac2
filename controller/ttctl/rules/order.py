# SPDX-License-Identifier: Apache-2.0
"""In which order are images had, and what does `down` do? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.model.plan import Step

if TYPE_CHECKING:
    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.plan import How, Verb


def image_steps(
    images: tuple[ImageSpec, ...], *, base: BaseImage, present: frozenset[str], how: How
) -> list[Step]:
    """Return how the images are had.

    Raises:
        EngineError: One has to be pulled, and `how` forbids it.
    """
    steps: list[Step] = []
    needed = {one.name for one in images if _again(one, how)} | _needed(images, present)
    own = [image for image in images if not image.prebuilt and image.name in needed]
    again = how.pull == "always" and base.origin != "bootstrapped"
    stands_on_it = any(one.parent == base.reference for one in own)
    if stands_on_it and (again or base.reference not in present):
        verb: Verb = "bootstrap" if base.origin == "bootstrapped" else "pull"
        steps.append(Step(verb=verb, subject=base.reference, reason=base.reason))
    steps += [_image_step(image, needed=needed, present=present, how=how) for image in images]
    _check_pulls(steps, how)
    return steps


def _again(image: ImageSpec, how: How) -> bool:
    return how.pull == "always" if image.prebuilt else how.build


def _image_step(image: ImageSpec, *, needed: set[str], present: frozenset[str], how: How) -> Step:
    here = image.reference in present
    if image.name not in needed:
        reason = f"{image.reference} is here" if here else "nothing is built on it now"
        reason += _marks(image)
        return Step(verb="skip", subject=f"image {image.name}", reason=reason)
    if image.prebuilt:
        named = image.reason or "the site settings name this image"
        reason = "--pull always" if _again(image, how) else named
        return Step(verb="pull", subject=image.reference, reason=reason)
    reason = how.build_word if here else f"{image.reference} is not here"
    if image.source is None and image.reason and not here:
        reason = image.reason
    return Step(verb="build", subject=image.name, reason=reason + _marks(image))


def _marks(image: ImageSpec) -> str:
    if image.source is not None:
        return f"; unvalidated: from {image.source.path}"
    named = " and ".join(image.unvalidated)
    mark = f"; unvalidated: on a checkout of {named}" if named else ""
    if not image.yours:
        return mark
    since = "; ttctl's own has changed since it was ejected" if image.changed_since else ""
    return f"; yours: from {image.yours.partition('=')[2]}{since}{mark}"


def _check_pulls(steps: list[Step], how: How) -> None:
    pulled = [step.subject for step in steps if step.verb == "pull"]
    if pulled and how.pull == "never":
        raise EngineError(
            f"The image {pulled[0]!r} is not here.",
            why="It can only be pulled, and `--pull never` forbids that.",
            evidence=f"To be pulled: {', '.join(pulled)}.",
            next_step=f"docker pull {pulled[0]}   # or ttctl up with --pull missing",
        )


def _needed(images: tuple[ImageSpec, ...], present: frozenset[str]) -> set[str]:
    """Return the images that must be made: a parent only where something is built on it."""
    needed: set[str] = set()
    for image in reversed(images):
        children = [one.name for one in images if one.parent == image.reference]
        wanted = not children or not needed.isdisjoint(children)
        if wanted and image.reference not in present:
            needed.add(image.name)
    return needed
