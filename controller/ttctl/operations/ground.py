# SPDX-License-Identifier: Apache-2.0
"""What of this machine entries are held against? A listing asks often: loads little."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.operations.topology import as_known
from ttctl.rules.fit_pages import pages_seen
from ttctl.rules.fitness import Ground

if TYPE_CHECKING:
    from ttctl.model.protocols import World


def ground_of(world: World) -> Ground:
    """Return what of this machine entries are held against.

    Of one that a snapshot shows, only its cards and its memory are known. No engine is asked:
    which containers have a board is not among it, as in `judge.shared_ground`.
    """
    system = as_known(world, world.host.system())
    if system.replayed:
        return Ground(system=system, nodes=None, token=world.has_token)
    ground = Ground(
        system=system,
        disk_mib=world.host.free_bytes(world.cache) >> 20,
        token=world.has_token,
    )
    if not system.chips and not system.boards:
        return ground
    cards = world.vitals.cards()
    return replace(
        ground,
        pages=pages_seen(cards),
        nodes=cards.nodes,
    )
