# SPDX-License-Identifier: Apache-2.0
"""How much room do the images take that a plan pulls and builds for a card, and is it there?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.rules.pull_room import built_bytes, pull_bytes, room_finding

if TYPE_CHECKING:
    from ttctl.model.match import Finding
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired


def pulled_bytes(world: World, desired: Desired, plan: Plan) -> int | None:
    """Return the room in bytes, None where no registry tells; none is asked where none pulls."""
    pulled = [one for one in desired.images if plan.wants("pull", one.reference)]
    if desired.spec.pins is None or not pulled:
        return 0
    layers = [world.registry.layers(one.reference, world.site) for one in pulled]
    if not all(layers):
        return None
    here = world.engine.layers()
    return sum(pull_bytes(one, here) for one in layers)


def room_for_images(world: World, desired: Desired, plan: Plan) -> tuple[Finding, ...]:
    """Say whether what a plan pulls and builds for a card has room where the engine keeps it."""
    built = built_bytes(desired.images, plan)
    if desired.spec.pins is None or not (plan.pull_bytes is None or plan.pull_bytes + built):
        return ()
    root = Path(world.engine.info().root_dir or "/")
    free = world.host.free_bytes(root)
    return (room_finding(plan.pull_bytes, built, free=free, root=root),)
