# SPDX-License-Identifier: Apache-2.0
"""Look at the boards: by the driver's files first, by tt-smi where that disturbs nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.devices import BoardInfo, DevicesInfo
from ttctl.model.telemetry import Answered
from ttctl.operations.lease import shared
from ttctl.operations.topology import busy_boards, with_topology
from ttctl.rules.board_health import judged, readings_by_board
from ttctl.rules.board_names import board_named
from ttctl.rules.leases import with_leases
from ttctl.rules.mesh_device import with_device
from ttctl.rules.replay import completed, replayed, tells_of, with_board_ids

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import Board, System
    from ttctl.model.protocols import World
    from ttctl.model.telemetry import ChipReading, Telemetry

NOT_ASKED = Answered(telemetry=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the boards are to be looked at."""

    snapshot: Path | None = None
    """A snapshot that replaces the call of tt-smi."""
    device: str | None = None
    """The device that the user says it is."""
    ask: bool = False
    """Whether tt-smi is asked where its last answer is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was seen."""

    system: System
    readings: tuple[ChipReading, ...]
    telemetry: Telemetry | None
    notes: tuple[str, ...]
    asked: Answered = NOT_ASKED
    """What came of asking tt-smi."""


def look(world: World, wish: Wish) -> Looked:
    """Return the machine with its boards judged by all that is known of them.

    Raises:
        BadFileError: The snapshot is none.
    """
    system, seen = _with_users(world, world.host.system())
    if wish.snapshot is None:
        asked, notes = _asked(world, system, ask=wish.ask)
        found = _own(world, system, asked.telemetry, (*seen, *notes), device=wish.device)
        return _with_topology(world, replace(found, asked=asked), ask=wish.ask)
    telemetry = world.telemetry.replay(wish.snapshot)
    if not system.boards:
        return Looked(
            system=with_device(replayed(telemetry, system), wish.device),
            readings=with_board_ids(telemetry.chips),
            telemetry=telemetry,
            notes=("This machine has no card: what is shown is the snapshot's.",),
        )
    found = _own(world, system, telemetry, seen, device=wish.device)
    return _with_topology(world, found, ask=False)


def _with_topology(world: World, looked: Looked, *, ask: bool) -> Looked:
    """Add how the boards are wired, where a device of theirs needs to know."""
    telemetry = looked.telemetry
    system, notes = with_topology(
        world,
        looked.system,
        looked.readings,
        source=telemetry.source if telemetry else "",
        ask=ask,
    )
    return replace(looked, system=system, notes=(*looked.notes, *notes))


def _with_users(world: World, system: System) -> tuple[System, tuple[str, ...]]:
    """Say of each board which container has it, and whether it needs a reset."""
    if not system.boards:
        return system, ()
    try:
        found = shared(world, system)
    except BadFileError as error:
        # A listing goes on; what takes boards, or resets them, does not.
        return system, (f"{error.message} To put it right: {error.next_step}",)
    closed = found.claims.closed
    notes = (f"Which containers have a board is not known: {closed}.",) if closed else ()
    return with_leases(system, found.leases), notes


def _own(
    world: World,
    system: System,
    telemetry: Telemetry | None,
    notes: tuple[str, ...],
    *,
    device: str | None,
) -> Looked:
    """Judge this machine's own boards, with what tt-smi said of them where there is anything."""
    own = world.telemetry.sensors(watch=True) if system.boards else ()
    readings = completed(own, telemetry)
    if telemetry is not None and not tells_of(own, telemetry):
        notes = (*notes, f"The {telemetry.source} is of other cards than these; it is not used.")
        telemetry = None
    boards = judged(system.boards, readings, complete=telemetry is not None)
    found = with_device(replace(system, boards=boards), device)
    return Looked(system=found, readings=readings, telemetry=telemetry, notes=notes)


def info(looked: Looked, name: str | None) -> DevicesInfo:
    """Return everything of one board, or of all.

    Raises:
        UsageError: There is no such board.
    """
    system, telemetry = looked.system, looked.telemetry
    boards = system.boards if name is None else (board_named(system, name),)
    return DevicesInfo(
        device=system.device,
        boards=tuple(
            BoardInfo(board=board, chips=own)
            for board, own in zip(boards, readings_by_board(boards, looked.readings), strict=True)
        ),
        source=telemetry.source if telemetry else "",
        taken=telemetry.taken if telemetry else "",
        age_s=telemetry.age_s if telemetry else None,
        notes=looked.notes,
        topology=system.topology,
    )


def _asked(world: World, system: System, *, ask: bool) -> tuple[Answered, tuple[str, ...]]:
    """Return what tt-smi says; it is asked only where no job could be disturbed by it."""
    if not system.boards:
        return NOT_ASKED, ()
    busy = busy_boards(system)
    if ask and busy:
        why = ", ".join(f"board {board.id} is {_use(board)}" for board in busy)
        return world.telemetry.kept(), (f"tt-smi is not asked: {why}.",)
    if not ask or not any(board.nodes for board in system.boards):
        return world.telemetry.kept(), ()
    answered = world.telemetry.ask()
    return answered, (f"No telemetry: {answered.note}.",) if answered.note else ()


def _use(board: Board) -> str:
    if board.free == "held":
        return f"held by {', '.join(board.holders)}"
    return "perhaps held by another user's process"
