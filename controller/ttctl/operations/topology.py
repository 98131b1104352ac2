# SPDX-License-Identifier: Apache-2.0
"""How are the boards wired? By what tt-smi says of their places, else by tt-topology's listing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.rules.replay import completed, tells_of
from ttctl.rules.topology import may_need_mesh, topology_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.protocols import World
    from ttctl.model.telemetry import ChipReading


def with_topology(
    world: World, system: System, readings: Sequence[ChipReading], *, source: str, ask: bool
) -> tuple[System, tuple[str, ...]]:
    """Return the machine with its topology where a device of its boards needs a mesh, and notes.

    tt-topology is asked only where the places of a snapshot do not decide, and nothing holds a
    board: it opens the chips, as tt-smi does.

    Args:
        world: Everything outside.
        system: The machine.
        readings: What its chips say.
        source: Who told their places.
        ask: Whether a tool may be started.
    """
    if not may_need_mesh(system):
        return system, ()
    found = topology_of(system.boards, readings, source=source)
    if found.kind != "unknown":
        return replace(system, topology=found), ()
    listed = world.telemetry.listed(ask=ask and not busy_boards(system))
    notes = (f"No topology: {listed.note}.",) if listed.note and ask else ()
    return replace(system, topology=listed.topology or found), notes


def as_known(world: World, system: System) -> System:
    """Return the machine with its topology as far as it was told a moment ago; nobody is asked."""
    if system.topology is not None or not may_need_mesh(system):
        return system
    own, telemetry = world.telemetry.sensors(watch=False), world.telemetry.kept().telemetry
    if telemetry is not None and not tells_of(own, telemetry):
        telemetry = None
    source = telemetry.source if telemetry else ""
    return with_topology(world, system, completed(own, telemetry), source=source, ask=False)[0]


def busy_boards(system: System) -> list[Board]:
    """Return the boards that somebody has open, or may have: a tool would disturb them."""
    return [board for board in system.boards if board.nodes and board.free != "free"]
