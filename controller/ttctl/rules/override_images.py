# SPDX-License-Identifier: Apache-2.0
"""Which images does a user's override bring, and which have to be pulled before a start? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.model.override import OVERRIDE_NAME
from ttctl.model.plan import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ttctl.model.override import Override
    from ttctl.model.plan import How


def image_of(body: Mapping[str, object]) -> str:
    """Return the image that a service's part of the file names; empty where compose makes it.

    Empty, too, where it stands behind a variable, which compose alone fills in, or belongs to a
    profile that no start names.
    """
    named = body.get("image")
    if not isinstance(named, str) or "$" in named or body.get("build") or body.get("profiles"):
        return ""
    return named


def pull_steps(
    override: Override | None, *, has_image: Callable[[str], bool], how: How
) -> tuple[Step, ...]:
    """Return a step for each image that the user's file names and that is not here.

    Raises:
        EngineError: One is not here, and `how` forbids to pull.
    """
    named = {image: service for service, image in (override.images if override else ())}
    missing = {image: service for image, service in named.items() if not has_image(image)}
    if override is not None and missing and how.pull == "never":
        image, service = next(iter(missing.items()))
        raise EngineError(
            f"The image {image!r} of the service {service!r} is not here.",
            why=f"{OVERRIDE_NAME} names {image!r}, and `--pull never` forbids to pull it.",
            evidence=f"{override.path}; nothing was changed.",
            next_step=f"docker pull {image}",
        )
    reason = f"{OVERRIDE_NAME} names it for the service"
    return tuple(
        Step(verb="pull", subject=image, reason=f"{reason} {service!r}")
        for image, service in missing.items()
    )
