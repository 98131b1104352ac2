# SPDX-License-Identifier: Apache-2.0
"""Is each board well, and is it free? Pure. Not yet run on a card.

A board is as bad as its worst finding; where nothing is bad and something cannot be told, its
health is unknown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ttctl.rules.boards import expected_nodes, is_whole
from ttctl.rules.families import says
from ttctl.rules.satisfying import satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ttctl.model.device import Board, Verdict
    from ttctl.model.telemetry import ChipReading

_WORST: tuple[Verdict, ...] = ("error", "warning", "unknown")

Finding = tuple["Verdict", str]


def with_holders(
    boards: Sequence[Board], seen: Mapping[str, tuple[tuple[str, ...], bool]]
) -> tuple[Board, ...]:
    """Say of each board who uses it.

    Args:
        boards: The boards.
        seen: Node to (holders, whether nobody else can have it open).
    """
    return tuple(_held(board, seen) for board in boards)


def judged(
    boards: Sequence[Board], readings: Sequence[ChipReading], *, complete: bool = False
) -> tuple[Board, ...]:
    """Judge every board by what its chips say.

    Args:
        boards: The boards.
        readings: What chips say, of any board; a board's own are found by address and number.
        complete: Whether remote chips are among them, as tt-smi tells them.
    """
    told: dict[str, list[str]] = {}
    for board in boards:
        if satisfies(board.firmware, "") is not None:
            told.setdefault(board.family, []).append(board.firmware)
    usual = {family: _most_common(versions) for family, versions in told.items()}
    return tuple(
        _judged(board, own, bundle=usual.get(board.family, ""), complete=complete)
        for board, own in zip(boards, readings_by_board(boards, readings), strict=True)
    )


def readings_by_board(
    boards: Sequence[Board], readings: Sequence[ChipReading]
) -> tuple[tuple[ChipReading, ...], ...]:
    """Return the readings of each board's chips: by address, chip's number, or board's number."""
    owners: dict[tuple[str, str], set[int]] = {}
    for at, board in enumerate(boards):
        keys = {("address", one) for one in board.pci_addresses}
        keys |= {("chip", asic.lower()) for asic in board.asic_ids if says(asic)}
        for key in (*keys, ("board", board.id)):
            owners.setdefault(key, set()).add(at)
    found: list[list[ChipReading]] = [[] for _ in boards]
    for one in readings:
        keys = {("address", one.pci_address), ("chip", one.asic_id.lower())}
        if one.remote and says(one.board_id):
            keys.add(("board", one.board_id.lower()))
        for at in set().union(*(owners.get(key, ()) for key in keys)):
            found[at].append(one)
    return tuple(map(tuple, found))


def _held(board: Board, seen: Mapping[str, tuple[tuple[str, ...], bool]]) -> Board:
    found = [seen.get(node, ((), False)) for node in board.nodes]
    names = tuple(dict.fromkeys(name for holders, _ in found for name in holders))
    complete = bool(found) and all(whole for _, whole in found)
    free: Literal["free", "held", "unknown"] = "free" if complete else "unknown"
    return replace(board, holders=names, free="held" if names else free)


def _judged(board: Board, readings: Sequence[ChipReading], *, bundle: str, complete: bool) -> Board:
    findings = [
        *_of_nodes(board),
        *_of_firmware(board, bundle),
        *(finding for one in readings for finding in _of_chip(one)),
    ]
    if board.nodes and not any(_says_anything(one) for one in readings):
        findings.append(("unknown", "its chips' values cannot be read"))
    if complete and board.family and len(readings) < board.chips:
        findings.append(("error", f"tt-smi shows {len(readings)} of its {board.chips} chips"))
    findings.sort(key=_rank)
    verdict: Verdict = findings[0][0] if findings else "healthy"
    reasons = tuple(dict.fromkeys(reason for _, reason in findings))
    return replace(board, verdict=verdict, reasons=reasons)


def _rank(finding: Finding) -> int:
    return _WORST.index(finding[0])


def _of_nodes(board: Board) -> Iterator[Finding]:
    if not board.family and not board.nodes:
        yield "error", "it is on the PCI bus, but the driver does not show it"
    elif not board.family:
        yield "unknown", "the driver does not say what kind of card it is"
    elif not is_whole(board):
        shown = len(board.nodes)
        yield "error", f"it shows {shown} of {expected_nodes(board)} device nodes"
    elif len(board.nodes) < len(board.pci_addresses):
        missing = len(board.pci_addresses) - len(board.nodes)
        yield "error", f"{missing} of its device nodes cannot be seen here"


def _of_firmware(board: Board, bundle: str) -> Iterator[Finding]:
    if not board.nodes:
        return
    if not board.firmware:
        yield "warning", "no version of the firmware is told"
    elif ", " in board.firmware:
        yield "error", f"its chips have different firmware: {board.firmware}"
    elif satisfies(board.firmware, "") is None:
        yield "unknown", f"its firmware {board.firmware!r} is not understood"
    elif board.firmware != bundle:
        yield "warning", f"firmware {board.firmware}, other boards have {bundle}"


def _of_chip(reading: ChipReading) -> Iterator[Finding]:
    name = _name(reading)
    warm, hot = reading.throttle_c, reading.shutdown_c
    now = reading.temperature_c
    if now is not None and hot is not None and now >= hot:
        yield "error", f"{name} is at {now:.0f} C, its limit is {hot:.0f} C"
    elif now is not None and warm is not None and now >= warm:
        yield "warning", f"{name} is at {now:.0f} C and slows down from {warm:.0f} C"
    if reading.dram_ok is False:
        yield "error", f"{name}: its memory was not trained"
    if reading.beats is False:
        yield "error", f"{name}: its firmware's heart does not beat"
    elif reading.heartbeat == 0 and reading.beats is None:
        yield "error", f"{name}: its firmware's heart never beat"
    elif reading.heartbeat is None:
        yield "unknown", f"{name}: its firmware shows no heartbeat"
    if reading.trips:
        often = "once" if reading.trips == 1 else f"{reading.trips} times"
        yield "warning", f"{name} switched itself off for its temperature {often}"


def _name(reading: ChipReading) -> str:
    if reading.pci_address:
        return f"chip {reading.pci_address}"
    return f"remote chip {reading.asic_id}".rstrip()


def _says_anything(reading: ChipReading) -> bool:
    return any(
        one is not None
        for one in (reading.heartbeat, reading.temperature_c, reading.clock_mhz, reading.dram_ok)
    )


def _most_common(versions: Sequence[str]) -> str:
    return next((version for version, _ in Counter(versions).most_common(1)), "")
