# SPDX-License-Identifier: Apache-2.0
"""What would be here if one stack were down already? A look for which nothing is stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ttctl.rules.leases import without_stack
from ttctl.rules.to_end import AT_WORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.container import ContainerState, Project
    from ttctl.model.engines import Engine
    from ttctl.model.lease import Claims
    from ttctl.model.protocols import World

    Change = Callable[[tuple[ContainerState, ...]], tuple[ContainerState, ...]]


class Instead:
    """Something with a few of its parts replaced; whatever else is asked for is its own."""

    def __init__(self, of: object, **parts: object) -> None:
        """Keep both; nothing is asked of `of` yet."""
        self._of, self._parts = of, parts

    def __getattr__(self, name: str) -> object:
        """Return the replaced part, else the thing's own."""
        return self._parts[name] if name in self._parts else getattr(self._of, name)


def as_if_down(world: World, stack: str) -> World:
    """Return the world without a stack's containers: its boards and its port count as free.

    It is for looking and for gathering only: what starts or ends containers is the world's own.
    """
    engine, leases, host, owner = world.engine, world.leases, world.host, world.store.owner()
    summary = world.store.summary(stack)
    ports = {port for one in engine.containers(stack) for _, port, _ in one.ports}
    ports |= {summary.port} if summary is not None else set()

    def gone(found: tuple[ContainerState, ...]) -> tuple[ContainerState, ...]:
        return tuple(one for one in found if one.stack != stack)

    def claims() -> Claims:
        return without_stack(leases.claims(), stack=stack, owner=owner)

    def port_holder(address: str, port: int) -> str | None:
        return None if port in ports else host.port_holder(address, port)

    seen = Instead(
        world,
        engine=_showing(engine, gone),
        leases=Instead(leases, claims=claims),
        host=Instead(host, port_holder=port_holder),
    )
    return cast("World", seen)


def as_if_stopped(world: World, stack: str) -> World:
    """Return the world as it is once a stack's containers have ended, which are still here.

    As `as_if_down`, it is for looking only.
    """

    def ended(found: tuple[ContainerState, ...]) -> tuple[ContainerState, ...]:
        return tuple(
            one
            if one.stack != stack or one.state not in AT_WORK
            else replace(one, state="exited", health="", exit_code=0, ports=())
            for one in found
        )

    seen = as_if_down(world, stack)
    return cast("World", Instead(seen, engine=_showing(world.engine, ended)))


def _showing(engine: Engine, change: Change) -> Instead:
    """Return an engine whose containers are shown as `change` makes them."""

    def containers(of: str | None) -> tuple[ContainerState, ...]:
        return change(engine.containers(of))

    def project(of: str) -> Project:
        seen = engine.project(of)
        return replace(seen, containers=change(seen.containers))

    return Instead(engine, containers=containers, project=project)
