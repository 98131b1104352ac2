# SPDX-License-Identifier: Apache-2.0
"""Which boards would a device get, and which firmware do they have? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.boards import is_whole
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.specifiers import bundle_order
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.device import Board, System

    Way = tuple[Board, ...]


def ways(device: str, system: System) -> tuple[Way, ...]:
    """Return every group of boards that makes up a device here; none where nothing does."""
    formed = [one for one in system.forms if one.device == device]
    if not formed and device == system.device and device in SIZES:
        return (system.boards,)
    return tuple(
        tuple(board for board in system.boards if board.id in one.boards) for one in formed
    )


def makes_up(device: str, way: Way, system: System) -> bool:
    """Return whether some boards are a device, in whichever order they are wired.

    Whoever names boards knows which of them are wired together.
    """
    if {board.id for board in way} in [{board.id for board in one} for one in ways(device, system)]:
        return True
    size = SIZES[device]
    alike = all(board.family == size.board and is_whole(board) for board in way)
    return alike and sum(board.chips for board in way) == size.chips


def is_usable(board: Board) -> bool:
    """Return whether nobody has a board and nothing is wrong with it."""
    return board.free == "free" and board.verdict != "error"


def bundles(boards: Iterable[Board]) -> tuple[str, ...]:
    """Return each firmware of some boards once, the oldest first."""
    each = {one for board in boards for one in board.firmware.split(", ") if one}
    return tuple(sorted(sorted(each), key=_age))


def firmware_for(device: str, system: System) -> str:
    """Return the firmware that decides between entries for a device, empty where it is not known.

    It is the oldest of the boards that the device would get: usable ones first, and of those the
    ones with the newest, since another entry may need it.
    """
    if device not in SIZES:
        return ""
    found = ways(device, system) or ways(system.device, system)
    told = [(all(map(is_usable, way)), bundles(way)) for way in found]
    known = [(usable, each[0]) for usable, each in told if each]
    best = max(known, key=lambda one: (one[0], _age(one[1])), default=(False, ""))
    return best[1]


def _age(version: str) -> tuple[int, ...]:
    """Return what puts an older bundle first; one that is not understood counts as the oldest."""
    return bundle_order(numbers(version))
