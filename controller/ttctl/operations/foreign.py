# SPDX-License-Identifier: Apache-2.0
"""Whose containers are these? Two users of one engine leave each other's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World


def refuse_foreign(world: World, stack: str, containers: tuple[ContainerState, ...]) -> None:
    """Leave alone what another state folder's ttctl started under the same name.

    Raises:
        UsageError: A container of this name belongs to somebody else.
    """
    for container in containers:
        if container.owner != world.store.owner():
            raise UsageError(
                f"The stack {stack!r} on this engine belongs to another user of ttctl.",
                why="Its containers carry the mark of another state folder.",
                evidence=f"{container.name}: owner {container.owner or 'none'}",
                next_step="ttctl up llama --name my-llama --port 8001",
            )
