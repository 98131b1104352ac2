# SPDX-License-Identifier: Apache-2.0
"""Which board does a word mean? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.rules.domains import domains_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.device import Board, System

_BY_ID = re.compile(r"/dev/tenstorrent/by-id/[a-z0-9]+-([0-9a-f]+)")
"""A link that the driver's rule makes: the chip's kind and its ASIC id.

Source: tt-kmd, udev-50-tenstorrent.rules
"""


def boards_named(system: System, names: Iterable[str]) -> tuple[Board, ...]:
    """Return the boards that words mean, each once and in the machine's order.

    Raises:
        UsageError: A word means none.
    """
    named = {board_named(system, name).id for name in names}
    return tuple(board for board in system.boards if board.id in named)


def shown(system: System, names: Iterable[str]) -> tuple[str, ...]:
    """Return boards as people read them, for the names by which containers lease them.

    A name that none of this machine's boards has stays as it is.
    """
    domains = domains_of(system)
    found = (
        next((one.boards for one in domains if name.lower() in one.names), (name,))
        for name in names
    )
    return tuple(dict.fromkeys(id_ for ids in found for id_ in ids))


def board_named(system: System, name: str) -> Board:
    """Return the board of this id, node, link, PCI address, ASIC id or place in the list.

    Raises:
        UsageError: There is no such board.
    """
    word = name.strip().lower()
    if link := _BY_ID.fullmatch(word):
        word = link[1]
    for at, board in enumerate(system.boards):
        words = {board.id, str(at), *board.nodes, *board.pci_addresses}
        words |= {asic.lower() for asic in board.asic_ids}
        if word in words or word.removeprefix("0x") in words:
            return board
    known = ", ".join(board.id for board in system.boards) or "none"
    raise UsageError(
        f"There is no board {name!r}.",
        why="A board is named by its number, a node, a PCI address, or its place in the list.",
        evidence=f"Boards: {known}.",
        next_step="ttctl devices ls",
    )
