# SPDX-License-Identifier: Apache-2.0
"""Take boards for a stack, and see who has which."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.lease import Leased
from ttctl.rules.board_pick import choose_boards
from ttctl.rules.domains import in_order
from ttctl.rules.leases import lease_of, leased
from ttctl.rules.spoiled import spoiled_by, with_new

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import System
    from ttctl.model.lease import Claims, Lease, Remembered
    from ttctl.model.protocols import World

GRACE_S = 120
"""Seconds that an engine may take to put its cards in order.

Source: https://github.com/tenstorrent/tt-inference-server/issues/4923
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The boards of this host with everybody who has one."""

    system: System
    claims: Claims
    leases: tuple[Lease, ...]


def shared(world: World, system: System | None = None, *, stack: str = "") -> Shared:
    """Look at who has which board; what was left in disorder is kept, whoever sees it first.

    Args:
        world: Everything outside.
        system: The machine, where it was looked at already.
        stack: The stack that asks: what it has itself is its own.
    """
    system = world.host.system() if system is None else system
    claims = world.leases.claims()
    remembered = noted(world, claims)
    leases = leased(system, claims, remembered, stack=stack, owner=world.store.owner())
    return Shared(system=system, claims=claims, leases=leases)


def noted(world: World, claims: Claims) -> Remembered:
    """Keep what containers left in disorder, before they are gone; return all that is kept."""
    remembered = world.leases.remembered()
    found = spoiled_by(claims.containers)
    new = with_new(remembered, found)
    if new is not remembered:
        # On a full disk, or in a home that is read-only, it is said all the same, and not kept.
        with suppress(TtctlError):
            world.leases.remember(found)
    return new


def take(world: World, device: str, stack: str, asked: Sequence[str] = ()) -> Leased:
    """Choose a stack's boards and resolve their nodes, as both are at this moment.

    To be called while `world.leases.guard(...)` is held, which has to be held until the stack's
    container is made: its label `BOARDS_LABEL` is the lease, and whoever comes next sees it.
    Without the guard it is a preview, as a plan shows it: the boards may be taken by the next.

    Args:
        world: Everything outside.
        device: Upstream's device type in lower case; `cpu` takes no board.
        stack: The stack; boards that it has already are kept.
        asked: Words for the very boards that are wanted, `stack.boards` of a lock for example.

    Raises:
        HeldError: Somebody has the boards; it names who, and what lets them go.
        NoDeviceError: The machine's boards do not make up the device.
        PrivilegeError: Whether boards are free cannot be seen by this user.
        UsageError: There is no such board.
    """
    found = shared(world, stack=stack)
    boards = choose_boards(device, found.system, found.leases, asked=asked)
    taken = [lease_of(board.id, found.leases) for board in boards]
    nodes = in_order(node for board in boards for node in board.nodes)
    return Leased(
        boards=tuple(dict.fromkeys(lease.domain.key for lease in taken)),
        nodes=nodes,
        values=tuple(f"{found.claims.root}{node}:{node}" for node in nodes),
        root=found.claims.root,
        dirty=tuple(dict.fromkeys(lease.dirty for lease in taken if lease.dirty)),
    )


def stop_first(world: World, stack: str, *, timeout_s: int | None) -> None:
    """Stop a stack that leases boards and keep how that ended, before its containers are gone.

    Removing a container takes its exit code along: one that had to be killed would leave dirty
    boards that nobody knows of.
    """
    limit = GRACE_S if timeout_s is None else timeout_s
    words = ["stop"] if timeout_s is None else ["stop", "--timeout", str(timeout_s)]
    world.launcher.ask(stack, words, timeout_s=limit + GRACE_S)
    noted(world, world.leases.claims())
