# SPDX-License-Identifier: Apache-2.0
"""List the containers of all stacks, and the stacks that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.container import StackWithout
from ttctl.operations.stacks import is_unstarted

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World

SHOWN = frozenset({"running", "restarting", "paused"})


def containers(world: World, *, every: bool) -> tuple[ContainerState, ...]:
    """Return the containers of all stacks; without `every`, those that have not ended."""
    return tuple(one for one in world.engine.containers(None) if every or one.state in SHOWN)


def without(world: World, seen: tuple[ContainerState, ...]) -> tuple[StackWithout, ...]:
    """Return this user's stacks of which no container is among all that were seen."""
    owner = world.store.owner()
    have = {one.stack for one in seen if one.owner == owner}
    return tuple(
        StackWithout(
            stack=stack,
            owner=owner,
            state="locked" if is_unstarted(world, stack, ()) else "down",
        )
        for stack in world.store.stacks()
        if stack not in have
    )
