# SPDX-License-Identifier: Apache-2.0
"""Which boards are the chips on, and what can those make up? Pure. Not yet run on a card."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.device import Board, Formed
from ttctl.rules.families import (
    CHIPS_PER_BOARD,
    DEVICES,
    NODES_PER_BOARD,
    SINGLE,
    TRAY_CHIPS,
    TRAY_DEVICE,
    family_of,
    is_galaxy,
    says,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ttctl.model.device import Chip

CARRIERS = 4
"""Nodes of a four-unit Galaxy: those of the cards through which a host reaches it."""

TRAYS = {"0", "4", "8", "c"}
"""First digit of the bus numbers of a Galaxy's chips: one for each tray; the second is the chip's,
from 1. Source: tt-kmd, enumerate.c, galaxy_bdf_to_ordinal
"""


def boards_of(
    chips: Sequence[Chip],
    *,
    hidden: Collection[str] = (),
    bare: Mapping[str, str] | None = None,
) -> tuple[Board, ...]:
    """Group chips into boards, by their serial number, in the order of their nodes.

    Args:
        chips: All that the driver knows, also those whose node is not to be seen here.
        hidden: Nodes that are not to be seen here.
        bare: PCI devices of the vendor that no driver shows: address to device id.
    """
    groups: dict[tuple[str, ...], list[Chip]] = {}
    nameless: Counter[str] = Counter()
    for chip in chips:
        family = family_of(chip.card_type)
        groups.setdefault(_key(chip, family, nameless[family]), []).append(chip)
        nameless[family] += not says(chip.serial)
    found = [_board(group, hidden) for group in groups.values()]
    lone = [
        Board(id=address, family="", nodes=(), pci_addresses=(address,), chips=1)
        for address in bare or {}
    ]
    return _named(found + lone)


def expected_nodes(board: Board) -> int:
    """Return how many device nodes a board shows where nothing is missing."""
    if not is_galaxy(board.family):
        return NODES_PER_BOARD.get(board.family, 1)
    return TRAY_CHIPS if is_tray(board) else board.chips


def is_whole(board: Board) -> bool:
    """Return whether a board is of a known kind and shows exactly the nodes that it should."""
    if is_galaxy(board.family) and not is_tray(board) and len(board.nodes) == CARRIERS:
        return True
    return bool(board.family) and len(board.nodes) == expected_nodes(board)


def forms_of(boards: Sequence[Board]) -> tuple[Formed, ...]:
    """Return every device that whole boards can make up, the largest first.

    Which boards of several are wired together is not known here: they are taken in the order of
    their nodes.
    """
    found: list[tuple[int, Formed]] = []
    for family in dict.fromkeys(board.family for board in boards):
        own = [board for board in boards if board.family == family and is_whole(board)]
        found += _galaxy_forms(family, own) if is_galaxy(family) else _card_forms(family, own)
    # Stable: devices of one size stay in the order of their boards.
    return tuple(formed for _, formed in sorted(found, key=lambda one: -one[0]))


def formed_of_all(boards: Sequence[Board], forms: Sequence[Formed]) -> Formed | None:
    """Return the device that takes every board, None where there is none."""
    return next((one for one in forms if len(one.boards) == len(boards)), None)


def _card_forms(family: str, boards: Sequence[Board]) -> list[tuple[int, Formed]]:
    return [
        (
            sum(board.chips for board in group),
            Formed(
                device=device,
                boards=tuple(board.id for board in group),
                reason=_reason(count, len(boards), family),
            ),
        )
        for (name, count), device in DEVICES.items()
        if name == family
        for group in _parts(boards, count)
    ] + [(1, _one_chip(family, board)) for board in boards if family in SINGLE]


def _one_chip(family: str, board: Board) -> Formed:
    reason = f"one chip of {family} (board)"
    return Formed(device=SINGLE[family], boards=(board.id,), reason=reason, part_of=family)


def _galaxy_forms(family: str, boards: Sequence[Board]) -> list[tuple[int, Formed]]:
    found: list[tuple[int, Formed]] = []
    chips = sum(board.chips for board in boards)
    if device := DEVICES.get((family, chips), ""):
        ids = tuple(board.id for board in boards)
        untold = "" if all(map(is_tray, boards)) else "; which chips share a tray is not told"
        reason = f"{chips} x {family}{untold}"
        found.append((chips, Formed(device=device, boards=ids, reason=reason)))
    if family == TRAY_DEVICE[0]:
        found += [
            (
                board.chips,
                Formed(device=TRAY_DEVICE[1], boards=(board.id,), reason=_tray_reason(board)),
            )
            for board in boards
            if board.chips == TRAY_CHIPS
        ]
    return found


def _tray_reason(board: Board) -> str:
    if is_tray(board):
        return "one tray of a Galaxy"
    return f"{board.chips} chips of a Galaxy; that they share a tray is not told by their addresses"


def _parts(boards: Sequence[Board], count: int) -> list[Sequence[Board]]:
    return [boards[start : start + count] for start in range(0, len(boards) - count + 1, count)]


def _reason(count: int, there: int, family: str) -> str:
    of = f"{count} of {there}" if count < there else f"{count}"
    return f"{of} x {family} (board{'s' if there > 1 else ''})"


def _key(chip: Chip, family: str, nameless: int) -> tuple[str, ...]:
    """Return what the chips of one board share.

    Args:
        chip: One of them.
        family: Its kind.
        nameless: How many chips of its kind without a board's number came before it.
    """
    if is_galaxy(family) and (tray := _tray(chip.pci_address)):
        return family, "tray", tray
    if says(chip.serial):
        return family, _number(chip)
    if is_galaxy(family):
        return family, "", ""
    # Firmware that gives no number: what one board shows is all that there is to group by.
    return family, "", str(nameless // NODES_PER_BOARD.get(family, 1))


def _number(chip: Chip) -> str:
    return chip.serial.lower().removeprefix("0x") if says(chip.serial) else ""


def is_tray(board: Board) -> bool:
    """Return whether the bus numbers of a Galaxy's board say that it is one tray."""
    addresses = board.pci_addresses
    return bool(addresses) and board.chips <= TRAY_CHIPS and all(map(_tray, addresses))


def _tray(pci_address: str) -> str:
    """Return which tray of a Galaxy a chip is on, empty where its bus number does not say."""
    bus = pci_address.lower().split(":")[-2:-1]
    if not bus or len(bus[0]) != 2:  # noqa: PLR2004 - two hex digits
        return ""
    tray, number = bus[0][0], bus[0][1]
    return tray if tray in TRAYS and number in "12345678" else ""


def _board(chips: Sequence[Chip], hidden: Collection[str]) -> Board:
    first = chips[0]
    family = family_of(first.card_type)
    nodes = tuple(chip.node for chip in chips if chip.node and chip.node not in hidden)
    versions = dict.fromkeys(chip.firmware for chip in chips if chip.firmware)
    return Board(
        id=_number(first) or first.pci_address or first.node,
        family=family,
        nodes=nodes,
        pci_addresses=tuple(chip.pci_address for chip in chips),
        asic_ids=tuple(chip.asic_id for chip in chips if chip.asic_id),
        chips=len(chips) if is_galaxy(family) else _chips(family, len(chips)),
        firmware=", ".join(versions),
    )


def _chips(family: str, shown: int) -> int:
    return max(shown, CHIPS_PER_BOARD.get(family, 1))


def _named(boards: Sequence[Board]) -> tuple[Board, ...]:
    """Give every board an id of its own: a number that two of them carry is no name."""
    ids = Counter(board.id for board in boards)
    return tuple(
        replace(board, id=next(iter(board.pci_addresses), "") or board.id)
        if ids[board.id] > 1
        else board
        for board in boards
    )


def in_order(nodes: Iterable[str]) -> tuple[str, ...]:
    """Return nodes by their numbers: the tenth comes behind the ninth."""
    return tuple(sorted(nodes, key=lambda node: (len(node), node)))
