# SPDX-License-Identifier: Apache-2.0
"""Are the boards well, and wired as their device needs it? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.health import Check, Verdict
    from ttctl.model.telemetry import ChipReading

_check = CheckGroup("Cards")

MESHED = ("t3k", "n150x4")
"""Devices whose boards must be made known to each other as a mesh.

Source: tt-inference-server v0.20.0, which refuses them where tt-topology says otherwise
"""
_MESH = "tt-topology -l mesh   # when nothing holds a card"
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
        fix="tt-flash --version   # then flash the same bundle on every card",
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


def topology_check(system: System, readings: Sequence[ChipReading]) -> Check:
    """Judge whether the chips of a Wormhole mesh know their places.

    Chips that were not meshed have the same coordinates as those of another board; meshed, each
    has its own. Inferred from tt-umd, tests/cluster_descriptor_examples/t3k_cluster_desc.yaml.
    """
    if system.device not in MESHED:
        return _check("topology", "skipped", f"{system.device or 'this device'} needs no mesh")
    places = [one.coords for one in readings if one.coords]
    if not places or len(places) < len(readings):
        return _check(
            "topology",
            "warning",
            "it cannot be told whether the boards are meshed",
            evidence="tt-smi gives no coordinates for every chip.",
            fix=_MESH,
        )
    if len(set(places)) < len(places):
        return _check(
            "topology",
            "failed",
            "the boards are not meshed",
            evidence=f"{system.device} needs a mesh; places: {', '.join(places)}.",
            fix=_MESH,
        )
    return _check("topology", "ok", f"each of {len(places)} chips has its own place in the mesh")


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
