# SPDX-License-Identifier: Apache-2.0
"""Which boards does a stack get? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import HeldError, NoDeviceError, PrivilegeError, UsageError
from ttctl.model.lease import OURS
from ttctl.rules.board_choice import is_usable, makes_up, ways
from ttctl.rules.board_names import boards_named
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.leases import lease_of, with_leases
from ttctl.rules.one_chip import part_of
from ttctl.rules.swap import swap_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.errors import TtctlError
    from ttctl.model.device import Board, System
    from ttctl.model.lease import Lease
    from ttctl.model.spec import Request

    Way = tuple[Board, ...]

_TWO = "A second program on a board hangs, or breaks the first one's work."


def choose_boards(
    device: str,
    system: System,
    leases: Sequence[Lease],
    *,
    asked: Sequence[str] = (),
    had: Sequence[str] = (),
    whole: str = "",
    request: Request | None = None,
) -> tuple[Board, ...]:
    """Return the boards that a stack gets: those that it has, else the lowest that are free.

    Boards that need a reset come last, those that it had until it stopped first of the others, and
    one chip of a larger board behind whole ones. A device without boards, such as `cpu`, gets none.

    Args:
        device: Upstream's device type in lower case.
        system: The machine.
        leases: How each of its reset domains is, for the stack that asks.
        asked: Words for the very boards that are wanted; none for any.
        had: Names of reset domains that the stack had until it stopped.
        whole: Why one chip of a larger board does not do; empty where it does.
        request: What the boards are for, where it would be brought up: a refusal offers to swap it
            for the one stack that has them.

    Raises:
        HeldError: Somebody else has boards of every choice.
        NoDeviceError: No boards here make up the device, or what they are is not well.
        PrivilegeError: Whether boards are free cannot be seen by this user.
        UsageError: There is no such board, or those make up another device.
    """
    if device not in SIZES:
        return ()
    system = with_leases(system, leases)
    if asked:
        return _checked(boards_asked(device, system, asked, whole=whole), leases, request)
    every = ways(device, system)
    found = [way for way in every if not (whole and part_of(device, way))]
    if not found:
        raise _one_chip(device, every, whole) if every else _not_formed(device, system)
    usable = [way for way in found if all(map(is_usable, way))]
    if not usable:
        raise none_free(device, found, leases, request)
    before = {word.lower() for word in had}
    return min(usable, key=lambda way: rank(device, way, leases, before))


def rank(
    device: str, way: Way, leases: Sequence[Lease], had: set[str]
) -> tuple[bool, bool, bool, bool]:
    """Return what puts a choice first; of equal ones the lowest boards are the first anyway."""
    each = [lease_of(board.id, leases) for board in way]
    own = all(lease.state == "own" for lease in each)
    kept = all(had & set(lease.domain.names) for lease in each)
    return not own, any(board.dirty for board in way), not kept, bool(part_of(device, way))


def boards_asked(device: str, system: System, asked: Sequence[str], *, whole: str) -> Way:
    """Return the boards that words mean, whoever has them.

    Args:
        device: Upstream's device type in lower case.
        system: The machine.
        asked: Words for boards.
        whole: Why one chip of a larger board does not do; empty where it does.

    Raises:
        NoDeviceError: They are one chip of a larger board, which does not do.
        UsageError: There is no such board, or those make up another device.
    """
    way = boards_named(system, asked)
    if whole and part_of(device, way):
        raise _one_chip(device, (way,), whole)
    if makes_up(device, way, system):
        return way
    size = SIZES[device]
    raise UsageError(
        f"These boards do not make up a {device}: {', '.join(asked)}.",
        why=f"A {device} is made up of {size.boards} x {size.board}.",
        evidence=f"Named: {', '.join(word_of(board) for board in way)}.",
        next_step="ttctl devices ls",
    )


def _checked(way: Way, leases: Sequence[Lease], request: Request | None) -> Way:
    taken = [board for board in way if board.free != "free"]
    if taken:
        refusal = _not_free(taken[0], lease_of(taken[0].id, leases))
        held = [lease_of(board.id, leases) for board in taken]
        raise _with_swap(refusal, held, request)
    return way


def _one_chip(device: str, found: Sequence[Way], whole: str) -> NoDeviceError:
    """Return why one chip of a board is not taken for a device."""
    family = part_of(device, found[0])
    return NoDeviceError(
        f"The model is not started on one chip of {family}.",
        why=f"{whole[:1].upper()}{whole[1:]}.",
        evidence=f"Boards: {', '.join(word_of(board) for way in found for board in way)}; "
        f"a whole {device} is none of them.",
        next_step="ttctl devices ls   # then --device with another of what the boards form",
    )


def _not_formed(device: str, system: System) -> NoDeviceError:
    formed = ", ".join(dict.fromkeys(one.device for one in system.forms)) or "nothing"
    boards = ", ".join(map(word_of, system.boards)) or "none"
    return NoDeviceError(
        f"No boards of this machine make up a {device}.",
        why=f"It takes {SIZES[device].boards} x {SIZES[device].board}.",
        evidence=f"Boards: {boards}. They make up: {formed}.",
        next_step="ttctl devices ls",
    )


def none_free(
    device: str, found: Sequence[Way], leases: Sequence[Lease], request: Request | None
) -> TtctlError:
    """Return why none of several choices can be had: the nearest to being free says it."""
    nearest = min(found, key=lambda way: sum(board.free == "held" for board in way))
    held = [lease_of(board.id, leases) for board in nearest if board.free == "held"]
    if held:
        refusal = HeldError(
            f"No boards for a {device} are free.",
            why=_TWO,
            evidence=f"{_users(found)}.",
            next_step=release(held[0]),
        )
        return _with_swap(refusal, held, request)
    unseen = next((board for board in nearest if board.free == "unknown"), None)
    if unseen:
        return _not_free(unseen, lease_of(unseen.id, leases))
    ill = next(board for board in nearest if board.verdict == "error")
    return NoDeviceError(
        f"Board {ill.id} is not well, and a {device} takes it.",
        why=next(iter(ill.reasons), "its chips report an error"),
        evidence=f"Boards: {', '.join(word_of(board) for board in nearest)}.",
        next_step="ttctl devices info",
    )


def _not_free(board: Board, lease: Lease) -> TtctlError:
    if lease.state == "unknown":
        return PrivilegeError(
            f"Whether board {board.id} is free cannot be seen.",
            why=f"{lease.why[:1].upper()}{lease.why[1:]}.",
            evidence=word_of(board),
            next_step=way_to_see(lease.why),
        )
    return HeldError(
        f"Board {board.id} is in use.",
        why=_TWO,
        evidence=f"{word_of(board)}: held by {', '.join(map(str, lease.holders))}.",
        next_step=release(lease),
    )


def _with_swap(refusal: TtctlError, held: Sequence[Lease], request: Request | None) -> TtctlError:
    """Return a refusal that offers to swap, where one stack of this user has all of these."""
    has = {(one.kind, one.stack) for lease in held for one in lease.holders}
    all_held = all(lease.state == "held" for lease in held)
    if isinstance(refusal, HeldError) and all_held and len(has) == 1:
        ((kind, stack),) = has
        refusal.holder = stack if kind == "stack" else ""
        if refusal.holder and request is not None:
            refusal.next_step = f"{swap_line(stack, request)}   # or: {refusal.next_step}"
    return refusal


def release(lease: Lease) -> str:
    """Return the command by which the first holder of a board lets it go."""
    holder = lease.holders[0]
    if holder.kind == "stack":
        return f"ttctl down {holder.stack}"
    if holder.kind == "container":
        stop = f"{holder.engine} stop -t 120 {holder.name}"
        foreign = holder.stack and holder.engine == OURS
        return f"docker ps --filter name={holder.name}" if foreign else stop
    pid = holder.name.removeprefix("pid ").partition(" ")[0]
    return f"ps -o pid,user,etime,args -p {pid}" if pid.isdecimal() else "ttctl devices ls"


def way_to_see(why: str) -> str:
    """Return the command that shows what this user could not see; root has another podman."""
    return "podman ps --all" if why.startswith("podman") else "sudo ttctl devices ls"


def _users(found: Sequence[Way]) -> str:
    each = {
        board.id: f"{word_of(board)}: {', '.join(board.holders) or board.free}"
        for way in found
        for board in way
        if board.free != "free"
    }
    return "; ".join(each.values())


def word_of(board: Board) -> str:
    """Name a board with its kind and its nodes."""
    kind = board.family or "of unknown kind"
    return f"{board.id} ({kind}{', ' if board.nodes else ''}{', '.join(board.nodes)})"
