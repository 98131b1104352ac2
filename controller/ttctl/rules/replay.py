# SPDX-License-Identifier: Apache-2.0
"""What machine does a snapshot show, and what do its values add to the driver's? Pure."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from ttctl.model.device import Board, Chip
from ttctl.model.telemetry import ChipReading
from ttctl.rules.board_health import judged, with_holders
from ttctl.rules.boards import boards_of, formed_of_all, forms_of
from ttctl.rules.device_match import match_device
from ttctl.rules.families import (
    CARRIER,
    CHIPS_PER_BOARD,
    NODES_PER_BOARD,
    family_of,
    is_galaxy,
    says,
)
from ttctl.rules.mesh_device import with_mesh_device
from ttctl.rules.topology import may_need_mesh, topology_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import System
    from ttctl.model.telemetry import Telemetry


def replayed(telemetry: Telemetry, system: System) -> System:
    """Return `system` with the cards of a snapshot in place of its own.

    A snapshot has no node's number: chips that are not remote get them in its order. Of the
    machine around them only what it tells is known.
    """
    readings = with_board_ids(telemetry.chips)
    chips = _chips(readings)
    match = match_device(chips, pci=())
    boards = _with_lost(_with_carriers(boards_of(chips), readings), readings)
    boards = _with_remote(boards, readings)
    held = _held(telemetry, readings, boards)
    boards = judged(with_holders(boards, held), readings, complete=True)
    forms = forms_of(boards)
    whole = None if match.device else formed_of_all(boards, forms)
    reason = (whole.reason if whole else match.reason).rstrip(".")
    found = replace(
        system,
        device=(whole.device if whole else match.device) if chips else "",
        chips=chips,
        driver=telemetry.driver,
        memory_bytes=telemetry.memory_bytes,
        replayed=True,
        reason=f"{reason}, by {telemetry.source}" if chips else "the snapshot shows no chip",
        evidence=match.evidence,
        boards=boards,
        forms=forms,
    )
    if may_need_mesh(found):
        found = replace(found, topology=topology_of(boards, readings, source=telemetry.source))
    return with_mesh_device(found, system.mesh_device)


def completed(own: Sequence[ChipReading], telemetry: Telemetry | None) -> tuple[ChipReading, ...]:
    """Return the driver's readings, with what only tt-smi says filled in, and remote chips."""
    others = list(with_board_ids(telemetry.chips)) if telemetry else []
    found = []
    names: dict[str, str] = {}
    for one in own:
        twin = next((other for other in others if _same(one, other)), None)
        if twin is not None:
            others.remove(twin)
            # A board without a number is known by its first chip's address.
            name = one.board_id if says(one.board_id) else one.pci_address
            names.setdefault(_bare(twin.board_id), name.lower().removeprefix("0x"))
        found.append(_filled(one, twin) if twin else one)
    remote = [
        replace(one, board_id=names[_bare(one.board_id)])
        for one in others
        if one.remote and _bare(one.board_id) in names
    ]
    return (*found, *remote)


def tells_of(own: Sequence[ChipReading], telemetry: Telemetry) -> bool:
    """Return whether a telemetry is of any of these chips."""
    return any(_same(one, other) for one in own for other in telemetry.chips)


def with_board_ids(readings: Sequence[ChipReading]) -> tuple[ChipReading, ...]:
    """Give chips of firmware that tells no board's number one: a remote chip is its partner's.

    The first remote chip belongs to the first local one, and so on, as tt-smi lists them.
    """
    found = list(readings)
    nameless = [at for at, one in enumerate(found) if not says(one.board_id)]
    for family in {family_of(found[at].card_type) for at in nameless}:
        own = [at for at in nameless if family_of(found[at].card_type) == family]
        local = [at for at in own if not found[at].remote]
        each = NODES_PER_BOARD.get(family, 1)
        firsts = [found[at].pci_address or f"chip-{at}" for at in local[::each]]
        for order, at in enumerate(local):
            found[at] = replace(found[at], board_id=firsts[order // each])
        for order, at in enumerate(at for at in own if found[at].remote):
            named = firsts[order] if order < len(firsts) else f"chip-{at}"
            found[at] = replace(found[at], board_id=named)
    return tuple(found)


def _chips(readings: Sequence[ChipReading]) -> tuple[Chip, ...]:
    """Return the chips that have a node, and those of a four-unit Galaxy, which have none."""
    found: list[Chip] = []
    nodes = 0
    carriers = _carriers(readings)
    for one in readings:
        family = family_of(one.card_type)
        if one in carriers or (one.remote and not is_galaxy(family)):
            continue
        found.append(
            Chip(
                node="" if one.remote else f"/dev/tenstorrent/{nodes}",
                arch="blackhole" if family[:1] == "p" or family == "galaxy-bh" else "wormhole_b0",
                card_type=one.card_type,
                pci_address=one.pci_address,
                serial=one.board_id,
                asic_id=one.asic_id,
                firmware=one.firmware,
            )
        )
        nodes += not one.remote
    return tuple(found)


def _with_carriers(boards: Sequence[Board], readings: Sequence[ChipReading]) -> tuple[Board, ...]:
    """Make one board of a Galaxy whose chips are all remote, with the nodes of its carriers."""
    carriers = _carriers(readings)
    if not boards or any(board.nodes or not is_galaxy(board.family) for board in boards):
        return tuple(boards)
    whole = replace(
        boards[0],
        nodes=tuple(f"/dev/tenstorrent/{at}" for at in range(len(carriers))),
        pci_addresses=tuple(one.pci_address for one in carriers if one.pci_address),
        asic_ids=tuple(asic for board in boards for asic in board.asic_ids),
        chips=sum(board.chips for board in boards),
        firmware=", ".join(dict.fromkeys(board.firmware for board in boards if board.firmware)),
    )
    return (whole,)


def _carriers(readings: Sequence[ChipReading]) -> list[ChipReading]:
    """Return the cards through which the chips of a four-unit Galaxy are reached.

    They are cards of their own kind, or n150s: tt-topology sets up either for a Galaxy behind them.
    """
    galaxy = [one for one in readings if is_galaxy(family_of(one.card_type))]
    if not galaxy or not all(one.remote for one in galaxy):
        return []
    return [one for one in readings if family_of(one.card_type) in {CARRIER, "n150"}]


def _with_lost(boards: Sequence[Board], readings: Sequence[ChipReading]) -> tuple[Board, ...]:
    """Add boards of which only the remote chip answers: one that hangs says nothing of itself."""
    known = {board.id for board in boards}
    lost = {
        one.board_id.lower(): family_of(one.card_type)
        for one in readings
        if one.remote and one.board_id.lower() not in known
    }
    return (
        *boards,
        *(
            Board(id=name, family=family, nodes=(), pci_addresses=(), chips=CHIPS_PER_BOARD[family])
            for name, family in lost.items()
            if family in CHIPS_PER_BOARD
        ),
    )


def _with_remote(boards: Sequence[Board], readings: Sequence[ChipReading]) -> tuple[Board, ...]:
    """Add the numbers of remote chips to their boards."""
    return tuple(
        replace(board, asic_ids=tuple(dict.fromkeys((*board.asic_ids, *_remote(board, readings)))))
        for board in boards
    )


def _remote(board: Board, readings: Sequence[ChipReading]) -> list[str]:
    return [
        one.asic_id
        for one in readings
        if one.remote and one.asic_id and one.board_id.lower() == board.id
    ]


def _held(
    telemetry: Telemetry, readings: Sequence[ChipReading], boards: Sequence[Board]
) -> dict[str, tuple[tuple[str, ...], bool]]:
    """Return who had each node open, as far as a snapshot tells; it never tells that nobody had."""
    local = [at for at, one in enumerate(readings) if not one.remote]
    found: dict[str, tuple[tuple[str, ...], bool]] = {}
    nodes = {node for board in boards for node in board.nodes}
    for order, at in enumerate(local):
        node = f"/dev/tenstorrent/{order}"
        who = tuple(name for device, name in telemetry.holders if device == at)
        if node in nodes and who:
            found[node] = (who, False)
    return found


def _same(one: ChipReading, other: ChipReading) -> bool:
    """Return whether two readings are of one chip: by its number, else by board and address."""
    if says(one.asic_id) and says(other.asic_id):
        return _bare(one.asic_id) == _bare(other.asic_id)
    if says(one.board_id) and says(other.board_id) and not _same_board(one, other):
        return False
    return bool(one.pci_address) and one.pci_address.lower() == other.pci_address


def _same_board(one: ChipReading, other: ChipReading) -> bool:
    return _bare(one.board_id) == _bare(other.board_id)


def _bare(number: str) -> str:
    return number.lower().removeprefix("0x").lstrip("0")


def _filled(one: ChipReading, twin: ChipReading) -> ChipReading:
    missing = {
        field.name: getattr(twin, field.name)
        for field in fields(ChipReading)
        if getattr(one, field.name) in {None, ""}
    }
    return replace(one, **missing)
