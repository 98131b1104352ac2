# SPDX-License-Identifier: Apache-2.0
"""Which boards does a stack get? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import HeldError, NoDeviceError, PrivilegeError, UsageError
from ttctl.rules.board_choice import is_usable, ways
from ttctl.rules.board_names import board_named
from ttctl.rules.boards import is_whole
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.leases import lease_of, with_leases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.errors import TtctlError
    from ttctl.model.device import Board, System
    from ttctl.model.lease import Lease

    Way = tuple[Board, ...]

_TWO = "A second program on a board hangs, or breaks the first one's work."


def choose_boards(
    device: str, system: System, leases: Sequence[Lease], *, asked: Sequence[str] = ()
) -> tuple[Board, ...]:
    """Return the boards that a stack gets: those that it has, else the lowest that are free.

    Boards that need a reset come last. A device without boards, such as `cpu`, gets none.

    Args:
        device: Upstream's device type in lower case.
        system: The machine.
        leases: How each of its reset domains is, for the stack that asks.
        asked: Words for the very boards that are wanted; none for any.

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
        return _checked(_asked(device, system, asked), leases)
    found = ways(device, system)
    if not found:
        raise _not_formed(device, system)
    usable = [way for way in found if all(map(is_usable, way))]
    if not usable:
        raise _refusal(device, found, leases)
    return min(usable, key=lambda way: _rank(way, leases))


def _rank(way: Way, leases: Sequence[Lease]) -> tuple[bool, bool]:
    """Return what puts a choice first; of equal ones the lowest boards are the first anyway."""
    own = all(lease_of(board.id, leases).state == "own" for board in way)
    return not own, any(board.dirty for board in way)


def _asked(device: str, system: System, asked: Sequence[str]) -> Way:
    named = {board_named(system, word).id for word in asked}
    way = tuple(board for board in system.boards if board.id in named)
    if named in [{board.id for board in one} for one in ways(device, system)]:
        return way
    size = SIZES[device]
    alike = all(board.family == size.board and is_whole(board) for board in way)
    if alike and sum(board.chips for board in way) == size.chips:
        # Whoever names boards knows which of them are wired together.
        return way
    raise UsageError(
        f"These boards do not make up a {device}: {', '.join(asked)}.",
        why=f"A {device} is made up of {size.boards} x {size.board}.",
        evidence=f"Named: {', '.join(_word(board) for board in way)}.",
        next_step="ttctl devices ls",
    )


def _checked(way: Way, leases: Sequence[Lease]) -> Way:
    for board in way:
        if board.free != "free":
            raise _not_free(board, lease_of(board.id, leases))
    return way


def _not_formed(device: str, system: System) -> NoDeviceError:
    formed = ", ".join(dict.fromkeys(one.device for one in system.forms)) or "nothing"
    boards = ", ".join(map(_word, system.boards)) or "none"
    return NoDeviceError(
        f"No boards of this machine make up a {device}.",
        why=f"It takes {SIZES[device].boards} x {SIZES[device].board}.",
        evidence=f"Boards: {boards}. They make up: {formed}.",
        next_step="ttctl devices ls",
    )


def _refusal(device: str, found: Sequence[Way], leases: Sequence[Lease]) -> TtctlError:
    """Return why none of several choices can be had: the nearest to being free says it."""
    nearest = min(found, key=lambda way: sum(board.free == "held" for board in way))
    held = [board for board in nearest if board.free == "held"]
    if held:
        return HeldError(
            f"No boards for a {device} are free.",
            why=_TWO,
            evidence=f"{_users(found)}.",
            next_step=release(lease_of(held[0].id, leases)),
        )
    unseen = next((board for board in nearest if board.free == "unknown"), None)
    if unseen:
        return _not_free(unseen, lease_of(unseen.id, leases))
    ill = next(board for board in nearest if board.verdict == "error")
    return NoDeviceError(
        f"Board {ill.id} is not well, and a {device} takes it.",
        why=next(iter(ill.reasons), "its chips report an error"),
        evidence=f"Boards: {', '.join(_word(board) for board in nearest)}.",
        next_step="ttctl devices info",
    )


def _not_free(board: Board, lease: Lease) -> TtctlError:
    if lease.state == "unknown":
        return PrivilegeError(
            f"Whether board {board.id} is free cannot be seen.",
            why=f"{lease.why[:1].upper()}{lease.why[1:]}.",
            evidence=_word(board),
            next_step="sudo ttctl devices ls",
        )
    return HeldError(
        f"Board {board.id} is in use.",
        why=_TWO,
        evidence=f"{_word(board)}: held by {', '.join(map(str, lease.holders))}.",
        next_step=release(lease),
    )


def release(lease: Lease) -> str:
    """Return the command by which the first holder of a board lets it go."""
    holder = lease.holders[0]
    if holder.kind == "stack":
        return f"ttctl down {holder.stack}"
    if holder.kind == "container":
        stop = f"docker stop -t 120 {holder.name}"
        return f"docker ps --filter name={holder.name}" if holder.stack else stop
    pid = holder.name.removeprefix("pid ").partition(" ")[0]
    return f"ps -o pid,user,etime,args -p {pid}" if pid.isdecimal() else "ttctl devices ls"


def _users(found: Sequence[Way]) -> str:
    each = {
        board.id: f"{_word(board)}: {', '.join(board.holders) or board.free}"
        for way in found
        for board in way
        if board.free != "free"
    }
    return "; ".join(each.values())


def _word(board: Board) -> str:
    kind = board.family or "of unknown kind"
    return f"{board.id} ({kind}{', ' if board.nodes else ''}{', '.join(board.nodes)})"
