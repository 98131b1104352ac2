# SPDX-License-Identifier: Apache-2.0
"""Are the boards well, and wired as their device needs it? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.device import Topology
from ttctl.rules.checks import CheckGroup
from ttctl.rules.device_sizes import NEEDS_MESH
from ttctl.rules.host_steps import FLASH_THE_SAME
from ttctl.rules.topology import SET_UP, are_enough

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.health import Check, Verdict

_check = CheckGroup("Cards")

_VERDICTS: dict[str, Verdict] = {
    "healthy": "ok",
    "warning": "warning",
    "error": "failed",
    "unknown": "warning",
}


def board_checks(boards: Sequence[Board]) -> tuple[Check, ...]:
    """Return one check for each board, and one for their firmware together."""
    each = tuple(_board_check(at, board) for at, board in enumerate(boards))
    versions = _differing(boards)
    if not versions:
        return each
    mixed = _check(
        "same firmware",
        "failed",
        "the boards do not have the same firmware",
        evidence=f"{', '.join(versions)}; chips of one mesh must share one bundle.",
        fix=FLASH_THE_SAME,
    )
    return (*each, mixed)


def _board_check(at: int, board: Board) -> Check:
    name = f"{board.id} ({board.family or 'of unknown kind'})"
    if board.dirty:
        return _check(
            f"board {at}",
            "failed" if board.verdict == "error" else "warning",
            f"{name}: it needs a reset",
            evidence="; ".join((board.dirty, *board.reasons)),
            fix="ttctl devices reset",
        )
    return _check(
        f"board {at}",
        _VERDICTS[board.verdict],
        f"{name}: {board.verdict}",
        evidence="; ".join(board.reasons),
        fix="ttctl devices info" if board.verdict != "healthy" else "",
    )


def _differing(boards: Sequence[Board]) -> list[str]:
    """Return the bundles of boards of one kind that do not share one: kinds make up no mesh."""
    found: list[str] = []
    for family in dict.fromkeys(board.family for board in boards):
        own = {one.firmware for one in boards if one.family == family and one.firmware}
        found += sorted(own) if len(own) > 1 else []
    return found


def topology_check(system: System) -> Check:
    """Judge whether Wormhole boards are wired as their device needs it."""
    if system.device not in NEEDS_MESH:
        return _check("topology", "skipped", f"{system.device or 'this device'} needs no mesh")
    if not are_enough(system.boards, system.device):
        return _check("topology", "skipped", f"the boards that are here make up no {system.device}")
    topology = system.topology or Topology(kind="unknown", reason="nobody looked")
    told = f"{topology.source}: {topology.reason}" if topology.source else topology.reason
    if topology.kind == "mesh":
        return _check("topology", "ok", "the boards are meshed", evidence=told)
    if topology.kind == "unknown":
        return _check(
            "topology",
            "warning",
            "it cannot be told whether the boards are meshed",
            evidence=told,
            fix="tt-topology -ls   # when nothing holds a card",
        )
    return _check(
        "topology",
        "failed",
        f"{system.device} needs a mesh, and the boards are {topology.kind}",
        evidence=told,
        fix=SET_UP,
    )


def stale_checks(files: Sequence[str]) -> tuple[Check, ...]:
    """Name files on /dev/hugepages-1G of boards that nobody has; none where there are none.

    The driver library of another user cannot open them, and an engine of that user fails.
    """
    if not files:
        return ()
    stale = _check(
        "stale hugepages",
        "warning",
        "a killed engine left files of boards that nobody has",
        evidence=", ".join(f"/dev/hugepages-1G/{name}" for name in files),
        fix="ttctl devices clear",
    )
    return (stale,)
