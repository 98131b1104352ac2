# SPDX-License-Identifier: Apache-2.0
"""What is a device made up of? Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSize:
    """What one device type takes."""

    chips: int
    arch: str
    """Chips of one kind can run each other's kernels."""
    board: str
    """Family of its boards, as `Board.family` has it."""
    boards: int
    """How many; a Galaxy's are its trays of eight chips."""
    mesh: str
    """What upstream's images read from MESH_DEVICE."""
    hosts: int = 1


_WH, _BH = "wormhole_b0", "blackhole"

SIZES = {
    "n150": DeviceSize(chips=1, arch=_WH, board="n150", boards=1, mesh="N150"),
    "n150x4": DeviceSize(chips=4, arch=_WH, board="n150", boards=4, mesh="N150x4"),
    "n300": DeviceSize(chips=2, arch=_WH, board="n300", boards=1, mesh="N300"),
    "t3k": DeviceSize(chips=8, arch=_WH, board="n300", boards=4, mesh="T3K"),
    "galaxy_t3k": DeviceSize(chips=8, arch=_WH, board="galaxy-wh", boards=1, mesh="T3K"),
    "galaxy": DeviceSize(chips=32, arch=_WH, board="galaxy-wh", boards=4, mesh="TG"),
    "dual_galaxy": DeviceSize(
        chips=64, arch=_WH, board="galaxy-wh", boards=8, mesh="(8,8)", hosts=2
    ),
    "quad_galaxy": DeviceSize(
        chips=128, arch=_WH, board="galaxy-wh", boards=16, mesh="(8,16)", hosts=4
    ),
    "p100": DeviceSize(chips=1, arch=_BH, board="p100", boards=1, mesh="P100"),
    "p150": DeviceSize(chips=1, arch=_BH, board="p150", boards=1, mesh="P150"),
    "p150x4": DeviceSize(chips=4, arch=_BH, board="p150", boards=4, mesh="P150x4"),
    "p150x8": DeviceSize(chips=8, arch=_BH, board="p150", boards=8, mesh="P150x8"),
    "p300": DeviceSize(chips=2, arch=_BH, board="p300", boards=1, mesh="P300"),
    "p300x2": DeviceSize(chips=4, arch=_BH, board="p300", boards=2, mesh="P300x2"),
    "blackhole_galaxy": DeviceSize(
        chips=32, arch=_BH, board="galaxy-bh", boards=4, mesh="BH-Galaxy"
    ),
}
"""Tenstorrent's device types; `cpu` and `gpu` have no boards.

Source: tt-inference-server v0.20.0, workflows/workflow_types.py and workflows/device_utils.py,
BOARD_TYPE_COUNT_TO_DEVICE
"""

NEEDS_MESH = frozenset({"t3k", "n150x4"})
"""Devices whose boards must be set up as one mesh.

Source: tt-inference-server v0.20.0, pull request 678
"""


def is_larger(device: str, than: str) -> bool:
    """Return whether a device has more chips of the same kind on one host."""
    one, other = SIZES.get(device), SIZES.get(than)
    if one is None or other is None or one.hosts > 1 or other.hosts > 1:
        return False
    return one.arch == other.arch and one.chips > other.chips
