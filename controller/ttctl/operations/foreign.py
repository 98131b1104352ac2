# SPDX-License-Identifier: Apache-2.0
"""Whose containers are these? What others have on the engine is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World


def own_containers(world: World, stack: str) -> tuple[ContainerState, ...]:
    """Return a stack's containers, where nobody else has any under its name.

    What another state folder's ttctl, or compose, started under the same name is left alone.

    Raises:
        UsageError: A container of this name belongs to somebody else.
    """
    own, seen = str(world.store.folder(stack)), world.engine.project(stack)
    for name, folder in seen.beside:
        if folder != own:
            raise UsageError(
                f"Another compose project on this engine is called 'ttctl-{stack}'.",
                why="compose would take its containers for what is left over of the stack, "
                "and remove them.",
                evidence=f"{name}, made in {folder}",
                next_step="ttctl up llama --name my-llama --port 8001",
            )
    refuse_others(world, stack, seen.containers)
    return seen.containers


def refuse_others(world: World, stack: str, containers: tuple[ContainerState, ...]) -> None:
    """Neither read nor talk to what another state folder's ttctl started under the same name.

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
