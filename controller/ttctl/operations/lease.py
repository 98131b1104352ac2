# SPDX-License-Identifier: Apache-2.0
"""Take boards for a stack, and see who has which."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, TtctlError
from ttctl.model.container import STACK_LABEL
from ttctl.model.lease import Leased
from ttctl.rules.board_pick import choose_boards
from ttctl.rules.board_sets import choose_sets
from ttctl.rules.leases import lease_of, leased
from ttctl.rules.one_chip import nodes_used, part_of
from ttctl.rules.reset import stale_hugepages
from ttctl.rules.spoiled import spoiled_by, with_new

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.lease import Claims, Lease, Remembered
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.rules.board_sets import Want

GRACE_S = 120
"""Seconds that an engine may take to put its cards in order.

Source: https://github.com/tenstorrent/tt-inference-server/issues/4923
"""
TAIL = 5
"""Lines of what an engine says that an error shows."""


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


def take(
    world: World,
    device: str,
    stack: str,
    asked: Sequence[str] = (),
    *,
    had: Sequence[str] = (),
    whole: str = "",
    request: Request | None = None,
) -> Leased:
    """Choose a stack's boards and resolve their nodes, as both are at this moment.

    To be called while `world.leases.guard(...)` is held, which has to be held until the stack's
    container is made: its label `BOARDS_LABEL` is the lease, and whoever comes next sees it.
    Without the guard it is a preview, as a plan shows it: the boards may be taken by the next.

    Args:
        world: Everything outside.
        device: Upstream's device type in lower case; `cpu` takes no board.
        stack: The stack; boards that it has already are kept.
        asked: Words for the very boards that are wanted, `stack.boards` of a lock for example.
        had: Names of boards that it had until it stopped, which come first of those in order.
        whole: Why one chip of a larger board does not do; empty where it does.
        request: What they are for, so that a refusal can offer to swap it in.

    Raises:
        HeldError: Somebody has the boards; it names who, and what lets them go.
        NoDeviceError: The machine's boards do not make up the device.
        PrivilegeError: Whether boards are free cannot be seen by this user.
        UsageError: There is no such board.
    """
    found = shared(world, stack=stack)
    boards = choose_boards(
        device, found.system, found.leases, asked=asked, had=had, whole=whole, request=request
    )
    return replace(_leased(found, device, boards), passed=() if asked else _passed(found, boards))


def take_each(
    world: World, wants: Sequence[Want], stack: str, asked: Sequence[str] = (), *, request: Request
) -> Leased:
    """Choose the boards of every engine of a stack, as `take` does for one; none twice.

    Returns:
        All of them together, with the part of each engine where they are several.

    Raises:
        NothingFitsError: Each would fit alone, and not all of them together.
        TtctlError: As `take`.
    """
    found = shared(world, stack=stack)
    sets = choose_sets(wants, found.system, found.leases, asked=asked, request=request)
    pairs = list(zip(wants, sets, strict=True))
    parts = [(want.service, _leased(found, want.device, boards)) for want, boards in pairs]
    passed = () if asked else _passed(found, [board for boards in sets for board in boards])
    return replace(_together(parts), passed=passed)


def _together(parts: Sequence[tuple[str, Leased]]) -> Leased:
    """Return what all engines of a stack get, in their order."""
    if len(parts) == 1:
        return parts[0][1]
    each = [one for _, one in parts]
    return Leased(
        boards=_joined(one.boards for one in each),
        ids=_joined(one.ids for one in each),
        own=_joined(one.own for one in each),
        nodes=_joined(one.nodes for one in each),
        values=_joined(one.values for one in each),
        root=each[0].root,
        dirty=_joined(one.dirty for one in each),
        stale=_joined(one.stale for one in each),
        parts=tuple(parts),
    )


def _joined(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for each in lists for one in each))


def _leased(found: Shared, device: str, boards: Sequence[Board]) -> Leased:
    taken = [lease_of(board.id, found.leases) for board in boards]
    nodes = nodes_used(device, boards)
    return Leased(
        boards=tuple(dict.fromkeys(lease.domain.key for lease in taken)),
        ids=tuple(board.id for board in boards),
        own=tuple(board.id for board in boards if lease_of(board.id, found.leases).state == "own"),
        nodes=nodes,
        values=tuple(f"{found.claims.root}{node}:{node}" for node in nodes),
        root=found.claims.root,
        dirty=tuple(dict.fromkeys(lease.dirty for lease in taken if lease.dirty)),
        stale=stale_hugepages(found.claims.hugepages, taken),
        part_of=part_of(device, boards),
    )


def _passed(found: Shared, taken: Sequence[Board]) -> tuple[tuple[str, str], ...]:
    """Return what else is of that kind and free, and needs a reset, with the reason."""
    families = {board.family for board in taken}
    ids = {board.id for board in taken}
    others = (one for one in found.system.boards if one.family in families and one.id not in ids)
    leases = ((board.id, lease_of(board.id, found.leases)) for board in others)
    return tuple((id_, one.dirty) for id_, one in leases if one.dirty and one.state != "held")


def stop_first(world: World, stack: str, *, timeout_s: int | None) -> None:
    """Stop a stack that leases boards and keep how that ended, before its containers are gone.

    Removing a container takes its exit code along: one that had to be killed would leave dirty
    boards that nobody knows of.

    Raises:
        TtctlError: As `stop_each`; so nothing of it may be removed.
    """
    stop_each(world, stack, timeout_s=timeout_s)
    noted(world, world.leases.claims())


def stop_each(world: World, stack: str, *, timeout_s: int | None) -> None:
    """Stop the containers of a stack, each in its own grace time or in `timeout_s`.

    Raises:
        EngineError: It could not be stopped.
        WaitError: That took longer than the grace time and as much again.
    """
    limit = GRACE_S if timeout_s is None else timeout_s
    code, lines = world.launcher.stop(stack, timeout_s=timeout_s, limit_s=limit + GRACE_S)
    if code:
        said = [line for line in lines if line.strip()][-TAIL:]
        raise EngineError(
            f"The stack {stack!r} could not be stopped.",
            why=said[-1] if said else "It said nothing.",
            evidence="\n".join([f"docker ended with {code}.", *said]),
            next_step=f"docker ps --all --filter label={STACK_LABEL}={stack}",
        )
