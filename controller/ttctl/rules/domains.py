# SPDX-License-Identifier: Apache-2.0
"""Which boards does a reset take down together? Pure. Not yet run on a card."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ttctl.model.lease import Domain
from ttctl.rules.boards import in_order, is_tray
from ttctl.rules.families import is_galaxy, says

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.device import Board, System


def domains_of(system: System) -> tuple[Domain, ...]:
    """Return the reset domains of a machine, in the order of its boards.

    A board is one with the chips that have no node of their own; so is a Galaxy's tray where the
    bus numbers tell the trays apart, else the whole Galaxy.
    """
    told = Counter(asic for board in system.boards for asic in _asics([board]))
    shared = {asic for asic, count in told.items() if count > 1}
    return tuple(_domain(group, shared) for group in _groups(system.boards))


def _groups(boards: Sequence[Board]) -> list[list[Board]]:
    whole = {
        board.family for board in boards if is_galaxy(board.family) and not is_tray(board)
    }  # fmt: skip
    groups: dict[str, list[Board]] = {}
    for board in boards:
        key = f"all {board.family}" if board.family in whole else f"board {board.id}"
        groups.setdefault(key, []).append(board)
    return list(groups.values())


def _domain(boards: Sequence[Board], shared: set[str]) -> Domain:
    # A number that two boards carry is the name of neither.
    asics = sorted(set(_asics(boards)) - shared)
    addresses = sorted(one.lower() for board in boards for one in board.pci_addresses)
    return Domain(
        key=next(iter([*asics, *addresses]), boards[0].id),
        names=(*asics, *addresses),
        boards=tuple(board.id for board in boards),
        nodes=in_order(node for board in boards for node in board.nodes),
        numbered=bool(asics),
    )


def _asics(boards: Iterable[Board]) -> list[str]:
    found = (asic.lower().removeprefix("0x") for board in boards for asic in board.asic_ids)
    return [asic for asic in found if says(asic)]
