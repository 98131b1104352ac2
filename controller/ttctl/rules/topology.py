# SPDX-License-Identifier: Apache-2.0
"""How are Wormhole boards wired, by the places that their chips were given? Pure.

tt-topology writes a place, `(x, y, rack, shelf)`, into every chip, and lists a machine's layout by
x and y alone. tt-smi prints the same places, so a snapshot decides without a second tool.

Source: https://github.com/tenstorrent/tt-topology/blob/47688f75f3e0f16d9c8ec3e5a009be4a9ea17a7d/tt_topology/backend.py,
detect_current_topology; tt-smi, tt_smi/backend.py at 07208d7, get_device_info
Not yet run on a card.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ttctl.model.device import Topology
from ttctl.rules.device_sizes import NEEDS_MESH, SIZES
from ttctl.rules.families import family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.telemetry import ChipReading

FAMILIES = frozenset({"n150", "n300"})
"""Boards that tt-topology sets up; a Galaxy comes wired."""

UNSET = frozenset({(0, 0), (1, 0)})
"""Places of chips that were never set up: the second is that of an n300's remote chip."""

SET_UP = "tt-topology -l mesh   # when nothing holds a card: it writes into their flash"

Place = tuple[int, ...]


def may_need_mesh(system: System) -> bool:
    """Return whether these boards make up a device that needs a mesh."""
    named = NEEDS_MESH & {system.device, *(one.device for one in system.forms)}
    return any(are_enough(system.boards, device) for device in named)


def are_enough(boards: Sequence[Board], device: str) -> bool:
    """Return whether there are boards for a device: one that was only named may have none."""
    size = SIZES[device]
    return sum(board.family == size.board for board in boards) >= size.boards


def topology_of(
    boards: Sequence[Board], readings: Sequence[ChipReading], *, source: str
) -> Topology:
    """Tell the layout by the chips' places.

    Args:
        boards: The machine's; those of no Wormhole card do not count.
        readings: What chips say, remote ones too.
        source: Who told the places.
    """
    chips = sum(board.chips for board in boards if board.family in FAMILIES)
    told = [one for one in readings if one.coords and family_of(one.card_type) in FAMILIES]
    if not chips or len(told) < chips:
        reason = f"by the chips' places, which tt-smi tells: {len(told)} of {chips} are known"
        return Topology(kind="unknown", reason=reason)
    places = [_place(one) for one in told]
    if pair := _one_boards_twins(told):
        reason = f"both chips of board {pair} have one place: the places were not read"
        return Topology(kind="unknown", reason=reason, source=source)
    return _by_places(places, source)


def _by_places(places: Sequence[Place], source: str) -> Topology:
    flat = [place[:2] for place in places]
    if all(place in UNSET for place in flat):
        reason = f"all {len(flat)} chips have the places of chips that were never set up"
        return Topology(kind="isolated", reason=reason, source=source)
    place, often = Counter(places).most_common(1)[0]
    if often > 1:
        reason = f"{often} chips have the place {place}, so that they are in no mesh together"
        return Topology(kind="isolated", reason=reason, source=source)
    if all(x == 0 and y < len(flat) for x, y in flat):
        reason = f"each of {len(flat)} chips has a place of its own, in one line"
        return Topology(kind="linear/torus", reason=reason, source=source)
    if all(x < len(flat) // 2 and y in {0, 1} for x, y in flat):
        reason = f"each of {len(flat)} chips has a place of its own, in two rows"
        return Topology(kind="mesh", reason=reason, source=source)
    names = ", ".join(str(place) for place in sorted(flat))
    reason = f"the places are those of no layout: {names}"
    return Topology(kind="unknown", reason=reason, source=source)


def _place(reading: ChipReading) -> Place:
    return tuple(int(number) for number in re.findall(r"\d+", reading.coords))


def _one_boards_twins(told: Sequence[ChipReading]) -> str:
    """Return a board whose two chips have one place: what prints zeros where it knows no place."""
    seen: dict[tuple[str, Place], bool] = {}
    for one in told:
        board = one.board_id.lower().removeprefix("0x").lstrip("0")
        key = board, _place(one)
        if board and seen.get(key, one.remote) != one.remote:
            return board
        seen[key] = one.remote
    return ""
