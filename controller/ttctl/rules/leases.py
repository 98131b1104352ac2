# SPDX-License-Identifier: Apache-2.0
"""Who has each reset domain? Pure. Not yet run on a card.

A container holds a board from the moment that it is made until it has ended, whether or not it
has a node open: what it maps is what it may open at any time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ttctl.model.lease import OURS, RELEASED, Holder, Lease
from ttctl.rules.domains import domains_of
from ttctl.rules.spoiled import dirt_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.lease import Claims, ContainerUse, Domain, ProcessUse, Remembered

FOLDERS = ("/dev/tenstorrent", "/dev")
"""A container that has one of them has every node."""
NOT_OURS = ("nvidia", "amd", "intel", "gpu")
"""Words of requests to the engine that are for other makers' cards."""


def leased(
    system: System,
    claims: Claims,
    remembered: Remembered,
    *,
    stack: str = "",
    owner: str = "",
) -> tuple[Lease, ...]:
    """Say of every reset domain who has it, in the order of the boards.

    Args:
        system: The machine.
        claims: What was seen of containers and processes.
        remembered: What is kept of boards whose containers are gone.
        stack: The stack that asks: what it has itself is `own`.
        owner: The state folder that ttctl works for; stacks of others are another user's.
    """
    domains = domains_of(system)
    return tuple(
        _lease(domain, claims, remembered, mine=(stack, owner)) for domain in domains
    )  # fmt: skip


def with_leases(system: System, leases: Sequence[Lease]) -> System:
    """Say of each board what is known of its reset domain; what is one's own counts as free."""

    def told(board: Board) -> Board:
        lease = lease_of(board.id, leases)
        free: Literal["free", "held", "unknown"] = "free" if lease.state == "own" else lease.state
        holders = tuple(str(holder) for holder in lease.holders)
        return replace(board, holders=holders, free=free, dirty=lease.dirty)

    return replace(system, boards=tuple(map(told, system.boards)))


def without_stack(claims: Claims, *, stack: str, owner: str) -> Claims:
    """Return what would be seen if a stack were down; files on the hugepages are left out.

    What may have its nodes open without being seen is taken for its own engine.
    """
    mine = [
        one
        for one in claims.containers
        if (one.stack, one.owner, one.engine) == (stack, owner, OURS) and one.phase not in RELEASED
    ]
    nodes = {path for one in mine for path in one.paths}
    return replace(
        claims,
        containers=tuple(one for one in claims.containers if one not in mine),
        processes=tuple(
            one
            for one in claims.processes
            if not _is_told(one, mine) or (one.hidden and not nodes.intersection(one.nodes))
        ),
        blind=tuple(node for node in claims.blind if node not in nodes),
        hugepages=(),
    )


def lease_of(board: str, leases: Sequence[Lease]) -> Lease:
    """Return how the domain of a board is, by the board's id."""
    return next(lease for lease in leases if board in lease.domain.boards)


def _lease(
    domain: Domain, claims: Claims, remembered: Remembered, *, mine: tuple[str, str]
) -> Lease:
    live = [one for one in claims.containers if one.phase not in RELEASED]
    holding = [one for one in live if _holds(one, domain, claims)]
    holders = [_container(one, domain, owner=mine[1]) for one in holding]
    # What another engine runs from a stack's own folder is nothing that `up` stops or replaces.
    own = [
        bool(mine[0]) and (one.stack, one.owner) == mine and one.engine == OURS for one in holders
    ]
    for process in claims.processes:
        if set(process.nodes) & set(domain.nodes) and not _is_told(process, holding):
            holders.append(_process(process))
            own.append(False)
    state: Literal["free", "own", "held", "unknown"]
    why = _unseen(domain, claims, live)
    state = "unknown" if why else "free"
    if holders:
        state = "own" if all(own) else "held"
    return Lease(
        domain=domain,
        state=state,
        holders=tuple(holders),
        dirty=dirt_of(domain, claims.containers, remembered),
        why=why if state == "unknown" else "",
    )


def _holds(container: ContainerUse, domain: Domain, claims: Claims) -> bool:
    return (
        container.privileged
        or bool({word.lower() for word in container.boards} & set(domain.names))
        or bool(set(container.paths) & {*domain.nodes, *FOLDERS})
        or any(_is_ours(request) for request in container.requests)
        or any(_allows(rule, domain, claims) for rule in container.rules)
    )


def _is_ours(request: str) -> bool:
    """Return whether a request to the engine may be for one of our cards."""
    return not any(word in request.lower() for word in NOT_OURS)


def _allows(rule: str, domain: Domain, claims: Claims) -> bool:
    """Return whether a rule of the device control group lets a container open a node.

    Source: https://docs.kernel.org/admin-guide/cgroup-v1/devices.html
    """
    kind, _, rest = rule.partition(" ")
    major, _, minor = rest.partition(" ")[0].partition(":")
    if kind == "a":
        return True
    if kind != "c":
        return False
    known = [pair for node, *pair in claims.numbers if node in domain.nodes]
    return (major == "*" and minor == "*") or any(
        major in {"*", str(a)} and minor in {"*", str(b)} for a, b in known
    )


def _is_told(process: ProcessUse, holding: Sequence[ContainerUse]) -> bool:
    """Return whether a process is one of a container that is named already."""
    if process.hidden:
        return bool(holding)
    return bool(process.container_id) and any(
        one.container_id.startswith(process.container_id) for one in holding
    )


def _container(container: ContainerUse, domain: Domain, *, owner: str) -> Holder:
    foreign = bool(container.stack) and owner not in {"", container.owner}
    ours = container.engine == OURS
    why = "belongs to another user" if foreign else ""
    if container.privileged:
        why = "is privileged"
    elif not container.boards and not set(container.paths) & set(domain.nodes):
        folder = next((path for path in FOLDERS if path in container.paths), "")
        why = f"maps {folder}" if folder else "may open every node"
    return Holder(
        kind="stack" if container.stack and not foreign and ours else "container",
        name=container.name,
        stack=container.stack,
        owner=container.owner,
        why=why,
        engine=container.engine,
    )


def _process(process: ProcessUse) -> Holder:
    inside = f" in container {process.container_id[:12]}" if process.container_id else ""
    return Holder(kind="process", name=f"{process.name}{inside}")


def _unseen(domain: Domain, claims: Claims, live: Sequence[ContainerUse]) -> str:
    """Return what keeps a board on which nobody is seen from being free."""
    if not domain.nodes:
        return "it shows no device node here"
    if claims.closed:
        return claims.closed
    if set(domain.nodes) & set(claims.blind):
        return "processes of other users cannot be looked into"
    labels = {word.lower() for one in live if not one.paths for word in one.boards}
    if labels and not domain.numbered:
        # Its own number may be what the label says, while the driver does not tell it.
        return "a container leases a board by a number, and this one tells none"
    return ""
