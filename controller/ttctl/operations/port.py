# SPDX-License-Identifier: Apache-2.0
"""Who has a stack's port? Find one for a stack whose port nobody asked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.container import ENGINE_ENDED
from ttctl.operations.desire_again import on_port
from ttctl.rules.stack import DEFAULT_PORT
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

LAST_PORT = 65535


def with_free_port(world: World, desired: Desired) -> Desired:
    """Return `desired` on the first port from the default upward that nobody has, and say so.

    A port that was asked for, or that is locked, stays: who talks to it knows it. It is looked for
    again when the folder is written, since a stack that started meanwhile has one, too; what is
    written is locked, so the next `up` finds the same.
    """
    if not desired.terms.any_port:
        return desired
    holder = _holders(world, desired)
    before = desired.stack.port
    who = holder(before)
    free = next((port for port in range(DEFAULT_PORT, LAST_PORT + 1) if not holder(port)), before)
    if not who or free == before:
        return desired
    world.reporter.note(f"port {before} is taken by {who}: this stack gets {free}")
    return on_port(world, desired, free)


def taken(world: World, desired: Desired) -> UsageError | None:
    """Return the refusal of a port that somebody else has; None where the stack can have it."""
    stack = desired.stack
    own = world.engine.containers(stack.name)
    if any(port == stack.port for state in own for _, port, _ in state.ports):
        return None
    holder = world.host.port_holder(stack.bind, stack.port)
    if holder is None:
        return None
    others = world.engine.containers(None)
    theirs = [state for state in others if any(port == stack.port for _, port, _ in state.ports)]
    if theirs:
        holder = f"the stack {theirs[0].stack!r} (container {theirs[0].name})"
    has = _holders(world, desired)
    later = chain(range(stack.port + 1, LAST_PORT + 1), range(DEFAULT_PORT, stack.port))
    free = next((one for one in later if not has(one)), None)
    return UsageError(
        f"Port {stack.port} on {stack.bind} is taken.",
        why=f"{holder}{',' if ',' in holder else ''} listens there.",
        evidence="\n".join(
            filter(None, (f"Free: {free}." if free else "", _left_by_whom(holder, stack.port)))
        ),
        next_step=typed("up", replace(desired.request, port=free))
        if free
        else "ss --listening --tcp --numeric --processes   # what could end",
    )


def _left_by_whom(holder: str, port: int) -> str:
    """Return what frees a port that nobody uses: Docker's engine leaves it where it is killed."""
    if "(docker-proxy)" not in holder:
        return ""
    named = f"`docker ps --filter publish={port}` names the container. Where it names none, "
    if holder.endswith(ENGINE_ENDED):
        return f"{named}`sudo kill {holder.split()[1]}` frees the port."
    return (
        f"{named}the engine may have been killed, and keeps the port for one that is gone, until "
        "it is started once more: `sudo systemctl restart docker`. Other containers end with it, "
        "without live-restore."
    )


def _holders(world: World, desired: Desired) -> Callable[[int], str | None]:
    """Return what tells who has a port; nobody has one's own."""
    others = _others(world, desired.stack.name)

    def holder(port: int) -> str | None:
        return others[port] if port in others else world.host.port_holder(desired.stack.bind, port)

    return holder


def _others(world: World, stack: str) -> dict[int, str]:
    """Return the ports of stacks with containers, and who has each; nobody for one's own.

    A gateway that waits for its engine listens nowhere yet, and some engines publish a port
    without a program that listens.
    """
    containers = world.engine.containers(None)
    found = {
        port: "" if one.stack == stack else f"the stack {one.stack!r}"
        for one in containers
        for _, port, _ in one.ports
    }
    for other in {one.stack for one in containers} - {stack}:
        lock = world.store.summary(other)
        if lock is not None:
            found[lock.port] = f"the stack {other!r}"
    return found
