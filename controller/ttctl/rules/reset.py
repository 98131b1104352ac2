# SPDX-License-Identifier: Apache-2.0
"""What does a reset of boards take down, and may it? Pure. Not yet run on a card.

A reset breaks the links of a board to those that it is wired to, so all of them are reset
together. Which boards are wired is not told by the driver: those that make up one of upstream's
devices count as wired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import HeldError, NoDeviceError, PrivilegeError, UsageError
from ttctl.model.reset import ResetPlan
from ttctl.rules.board_names import board_named
from ttctl.rules.board_pick import release
from ttctl.rules.boards import in_order
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.families import is_galaxy
from ttctl.rules.hugepages import files_of
from ttctl.rules.leases import lease_of
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ttctl.model.device import Board, Formed, System
    from ttctl.model.lease import Claims, Lease

GALAXY_CHIPS = 32
"""Chips of a Galaxy whose trays can be reset together only.

Source: https://github.com/tenstorrent/tt-smi/blob/07208d7e783b8bb585440460db53f515b5828f16/tt_smi/reset.py
"""
BY_NODE = 5
"""First version of tt-smi that takes paths of nodes; before, it took their numbers, which mean
something else since.

Source: https://github.com/tenstorrent/tt-smi/tree/v5.0.0, tt_smi/tt_smi.py
"""


def boards_meant(
    system: System, words: Sequence[str], leases: Sequence[Lease], *, every: bool
) -> tuple[Board, ...]:
    """Return the boards that words mean; without words those that need a reset.

    Raises:
        NoDeviceError: There is no board.
        UsageError: There is no such board, words and `--all` were given, or nothing needs a reset.
    """
    if words and every:
        raise UsageError(
            "Either some boards or all of them.",
            why="--all would take every other board too.",
            evidence=f"Named: {', '.join(words)}.",
            next_step="ttctl devices ls",
        )
    if not system.boards:
        raise NoDeviceError(
            "This machine has no board.",
            why=system.reason,
            evidence=system.evidence,
            next_step="ttctl devices ls",
        )
    if every:
        return system.boards
    if words:
        named = {board_named(system, word).id for word in words}
        return tuple(board for board in system.boards if board.id in named)
    dirty = tuple(board for board in system.boards if lease_of(board.id, leases).dirty)
    if dirty:
        return dirty
    raise UsageError(
        "No board is known to need it.",
        why="A board needs a reset when the engine that had it was killed; name one to do it.",
        evidence=f"Boards: {', '.join(board.id for board in system.boards)}.",
        next_step="ttctl devices ls",
    )


def reset_plan(
    boards: Sequence[Board],
    system: System,
    leases: Sequence[Lease],
    claims: Claims,
    *,
    virtual: str = "",
) -> ResetPlan:
    """Return everything that a reset of these boards takes down, and who is in its way.

    Args:
        boards: The boards that are meant.
        system: The machine.
        leases: How each of its reset domains is.
        claims: What was seen of containers.
        virtual: What shows that this is a virtual machine, empty where nothing does.
    """
    meant = {board.id for board in boards}
    linked: dict[str, Board] = {}
    reasons: list[str] = []
    for board in boards:
        group, reason = _linked(board, system, leases)
        linked |= {one.id: one for one in group}
        reasons.append(reason)
    whole = tuple(board for board in system.boards if board.id in linked)
    touched = [
        lease for lease in leases if set(lease.domain.boards) & {board.id for board in whole}
    ]  # fmt: skip
    names = tuple(name for lease in touched for name in lease.domain.names)
    held = [lease for lease in touched if lease.state in {"held", "own"}]
    return ResetPlan(
        asked=tuple(board.id for board in system.boards if board.id in meant),
        boards=tuple(board.id for board in whole),
        nodes=in_order(node for board in whole for node in board.nodes),
        names=names,
        stacks=tuple(sorted(_stacks(claims, names))),
        dirty=tuple((board.id, why) for board in whole if (why := _dirt(board, touched))),
        galaxy=sum(board.chips for board in whole if is_galaxy(board.family)) == GALAXY_CHIPS,
        reasons=tuple(dict.fromkeys(reason for reason in reasons if reason)),
        warnings=tuple(_warnings(system, virtual)),
        blocked=tuple(_blocked(touched)),
        release=release(held[0]) if held else "",
    )


def check_reset(plan: ResetPlan) -> None:
    """Refuse a reset that would end somebody's work, or that could reset nothing.

    Raises:
        HeldError: Somebody has one of the boards.
        NoDeviceError: None of them has a node.
        PrivilegeError: Whether somebody has one cannot be seen.
    """
    if plan.blocked:
        seen = bool(plan.release)
        kind = HeldError if seen else PrivilegeError
        raise kind(
            "A board that would be reset is in use." if seen else "A board may be in use.",
            why="A reset ends whatever runs on it, and on the boards that are linked to it.",
            evidence=f"{'; '.join(plan.blocked)}. Reset together: {', '.join(plan.boards)}.",
            next_step=plan.release or "sudo ttctl devices ls",
        )
    if not plan.nodes:
        raise NoDeviceError(
            "No board that would be reset has a device node.",
            why="tt-smi resets a board through its node.",
            evidence=f"Boards: {', '.join(plan.boards)}.",
            next_step="sudo modprobe tenstorrent",
        )


def reset_words(nodes: Sequence[str], *, galaxy: bool, version: str) -> tuple[str, ...]:
    """Return what tt-smi is told; never nothing, which would mean every board.

    Args:
        nodes: Paths of the nodes.
        galaxy: Whether they are a whole Galaxy's.
        version: What tt-smi says of itself; one that is not understood counts as new.
    """
    if galaxy:
        return ("-glx_reset",)
    found = numbers(version)
    if found and found[0] < BY_NODE:
        return ("-r", ",".join(node.rpartition("/")[2] for node in nodes))
    return ("-r", *nodes)


def stale_hugepages(files: Iterable[str], leases: Sequence[Lease]) -> tuple[str, ...]:
    """Return the files on /dev/hugepages-1G of boards that nobody has: they block other users.

    Args:
        files: Names of the files in there.
        leases: How each reset domain is; a file of a node that is not there is nobody's to judge.
    """
    free = (lease for lease in leases if lease.state == "free")
    return files_of(files, (node for lease in free for node in lease.domain.nodes))


def _linked(
    board: Board, system: System, leases: Sequence[Lease]
) -> tuple[tuple[Board, ...], str]:  # fmt: skip
    """Return a board with all that is reset together with it, and why."""
    domain = {*lease_of(board.id, leases).domain.boards}
    formed = _largest(board, system.forms)
    ids = domain | set(formed.boards if formed else ())
    if is_galaxy(board.family):
        ids |= {one.id for one in system.boards if one.family == board.family}
    group = tuple(one for one in system.boards if one.id in ids)
    if len(group) > 1:
        what = f"a {formed.device}" if formed and len(formed.boards) > 1 else "one Galaxy"
        return group, f"{len(group)} boards make up {what}: they are reset together."
    alike = [one for one in system.boards if one.family == board.family]
    if len(alike) == 1 or not any(
        size.board == board.family and size.boards > 1 for size in SIZES.values()
    ):
        return group, ""
    return group, (
        f"Whether board {board.id} is wired to another {board.family} is not known; as they make "
        "up no device together, it is reset alone."
    )


def _largest(board: Board, forms: Sequence[Formed]) -> Formed | None:
    with_it = [one for one in forms if board.id in one.boards]
    return max(with_it, key=lambda one: len(one.boards), default=None)


def _dirt(board: Board, leases: Sequence[Lease]) -> str:
    return lease_of(board.id, leases).dirty


def _stacks(claims: Claims, names: Sequence[str]) -> set[str]:
    return {
        one.stack
        for one in claims.containers
        if one.stack and {word.lower() for word in one.boards} & set(names)
    }


def _blocked(leases: Sequence[Lease]) -> Iterator[str]:
    for lease in leases:
        ids = ", ".join(lease.domain.boards)
        if lease.holders:
            yield f"board {ids}: held by {', '.join(map(str, lease.holders))}"
        elif lease.state == "unknown" and lease.domain.nodes:
            yield f"board {ids}: {lease.why}"


def _warnings(system: System, virtual: str) -> Iterator[str]:
    """Yield what is known to go wrong.

    Source: https://github.com/tenstorrent/tt-smi/issues/54 and
    https://github.com/tenstorrent/tt-smi/issues/154; for ARM the driver's notes on resets
    """
    if virtual:
        yield f"This is a virtual machine ({virtual}): resets from inside crashed such machines."
    if system.machine.startswith(("aarch64", "arm")):
        yield f"The processor is an ARM ({system.machine}): tt-smi does not reset boards there."
