# SPDX-License-Identifier: Apache-2.0
"""Which devices of this machine may be offered in place of another? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.device_sizes import SIZES

if TYPE_CHECKING:
    from ttctl.rules.near_misses import Look


def usable_devices(look: Look) -> tuple[str, ...]:
    """Return the devices that may be offered, the wanted one first.

    Where this machine has cards, what free boards of it make up; where it has none, the device
    that was named is another machine's, and may be.
    """
    place, device = look.place, look.wanted.device
    named = (device,) if device in place.devices or not has_cards(look) else ()
    every = dict.fromkeys((*named, *place.devices))
    return tuple(one for one in every if is_served(one) and one not in place.held)


def has_cards(look: Look) -> bool:
    """Return whether this machine has cards, or forms a device of them."""
    return bool(look.place.boards) or any(one in SIZES for one in look.place.devices)


def is_served(device: str) -> bool:
    """Return whether ttctl serves on a device at all."""
    return device == "cpu" or (device in SIZES and SIZES[device].hosts == 1)
