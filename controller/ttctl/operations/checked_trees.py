# SPDX-License-Identifier: Apache-2.0
"""Is every checkout one that its recipe builds? Known before tt-metal is compiled under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.image import ImageSpec, LocalSource
    from ttctl.model.protocols import World

CHECK = "check-tree"
"""The script in a build's context that knows what a recipe's tree has."""


def check_checkouts(
    world: World, images: Sequence[ImageSpec], sources: Sequence[LocalSource]
) -> None:
    """Look at each checkout as its build will.

    Raises:
        UsageError: One is no tree that its recipe builds.
    """
    given = {one.component: one for one in sources}
    for image in images:
        script = next((text for name, text, _ in image.files if name == CHECK), "")
        # What takes no tree of its own looks at the tt-metal that it stands on.
        source = image.source if image.takes_source else given.get("tt-metal")
        if script and source:
            world.commits.check(source, image.name, script)
