# SPDX-License-Identifier: Apache-2.0
"""Which device does a word name, in ours or in upstream's spelling? Pure.

Source: tenstorrent/tt-inference-server:workflows/workflow_types.py@v0.20.0, DeviceTypes
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.model.device import DEVICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = {
    "tg": ("galaxy",),
    "bh-galaxy": ("blackhole_galaxy",),
    "t3k": ("t3k", "galaxy_t3k"),
}
"""Upstream's spelling where it is not the device's name; the likeliest first."""

_SHAPES = {
    (1, 1): ("n150", "p150", "p100"),
    (1, 2): ("n300", "p300"),
    (1, 4): ("p150x4", "n150x4"),
    (1, 8): ("t3k", "p150x8", "galaxy_t3k"),
    (2, 2): ("p300x2", "p150x4", "n150x4"),
    (2, 4): ("t3k", "p150x8", "galaxy_t3k"),
    (4, 8): ("galaxy", "blackhole_galaxy"),
    (8, 8): ("dual_galaxy",),
    (8, 16): ("quad_galaxy",),
}
"""Rows and columns of a mesh, the smaller first, to the devices that have as many chips."""

_SHAPE = re.compile(r"\(?\s*(\d{1,3})\s*[,x]\s*(\d{1,3})\s*\)?")


def candidates(word: str) -> Sequence[str]:
    """Return the devices that a name or a shape can mean, the likeliest first."""
    name = word.strip().lower()
    if shape := _SHAPE.fullmatch(name):
        rows, columns = sorted((int(shape[1]), int(shape[2])))
        return _SHAPES.get((rows, columns), ())
    if name in _NAMES:
        return _NAMES[name]
    return (name,) if name in DEVICE_NAMES else ()


def device_named(word: str) -> str:
    """Return the one device that a word names wherever it is read, empty where there is none.

    `P150X4`, `TG` and `(8,8)` name one; `(2, 4)` is a shape that several devices have.
    """
    found = candidates(word)
    is_shape = _SHAPE.fullmatch(word.strip()) is not None
    return found[0] if found and not (is_shape and len(found) > 1) else ""


def respelled(word: str) -> str:
    """Return how a device is named here, empty where the word is that name in any case."""
    device = device_named(word)
    return "" if device == word.strip().lower() else device
