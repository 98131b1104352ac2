# SPDX-License-Identifier: Apache-2.0
"""What would a machine of some device have? Pure. For plans made where that device is not."""

from __future__ import annotations

from ttctl.model.device import Board, Formed, System
from ttctl.rules.device_sizes import SIZES, DeviceSize


def is_imagined(device: str | None, system: System) -> bool:
    """Return whether a device of cards is asked for that this machine's cards do not make up."""
    if device is None or device not in SIZES or SIZES[device].hosts > 1:
        return False
    whole = (one.device for one in system.forms if not one.part_of)
    return device != system.device and device not in whole


def imagined(device: str) -> System:
    """Return a machine with a device's boards, all free; of its host nothing is known."""
    size = SIZES[device]
    boards = tuple(
        Board(
            id=f"{size.board}-{number}",
            family=size.board,
            nodes=(),
            pci_addresses=(),
            chips=size.chips // size.boards,
            free="free",
        )
        for number in range(size.boards)
    )
    return System(
        device=device,
        cores=0,
        memory_bytes=0,
        machine="",
        reason=absent_text(device),
        boards=boards,
        forms=_forms(size, tuple(board.id for board in boards)),
    )


def absent_text(device: str) -> str:
    """Say whose boards these are."""
    return (
        f"{device} is not in this machine: the boards are those that a {device} has, taken as free"
        " and healthy; what its host has is not known"
    )


def _forms(size: DeviceSize, boards: tuple[str, ...]) -> tuple[Formed, ...]:
    """Return what all of these boards make up, and parts of them, the largest first."""
    parts = sorted(
        (
            (part.boards, name)
            for name, part in SIZES.items()
            if part.board == size.board and part.boards <= size.boards and part.hosts == 1
        ),
        reverse=True,
    )
    return tuple(
        Formed(
            device=name,
            boards=boards[start : start + count],
            reason=f"{count} of {size.boards} x {size.board}",
        )
        for count, name in parts
        for start in range(0, size.boards - count + 1, count)
    )
