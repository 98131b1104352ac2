# SPDX-License-Identifier: Apache-2.0
"""List the entries of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.model_page import Room
from ttctl.rules.model_filter import filtered

if TYPE_CHECKING:
    from ttctl.model.model_page import Filter
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec


def room_of(world: World) -> Room:
    """Return what this machine has for a model."""
    system = world.host.system()
    formed = (system.device, *(one.device for one in system.forms), "cpu")
    return Room(
        devices=tuple(dict.fromkeys(name for name in formed if name)),
        memory_mib=system.memory_bytes >> 20,
        disk_mib=world.host.free_bytes(world.cache) >> 20,
    )


def listed(world: World, wanted: Filter) -> tuple[ModelSpec, ...]:
    """Return the entries of the catalog that a filter lets through."""
    return filtered(world.catalog.specs(), wanted)
