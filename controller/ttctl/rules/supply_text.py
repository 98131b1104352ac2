# SPDX-License-Identifier: Apache-2.0
"""How is it said where weights come from, and how much of them is to come? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.weights import Supply

GB = 1_000_000_000
MB = 1_000_000
_MOUNTED = re.compile(r"; its weights are read in [^;]*")
FEW = 4
"""Files that are named before the line says `and more`."""


def supply_text(supply: Supply) -> str:
    """Return a note for a plan's step, empty where there is nothing but the hub and our cache."""
    if not supply.place:
        return ""
    if supply.mounted:
        return f"in {supply.place}, read once and mounted from there{_trust(supply)}"
    found = supply.total_bytes - supply.fetched_bytes
    copied = f", {size_text(supply.copied_bytes)} copied" if supply.copied_bytes else ""
    return f"{size_text(found)} of it from {supply.place}{copied}"


def placed(reason: str, supply: Supply) -> str:
    """Return the reason of a choice with where its weights are, in place of where they were."""
    base = _MOUNTED.sub("", reason)
    if supply.mounted:
        return f"{base}; its weights are read in {supply.place}"
    linked = f"; files of its weights are those of {supply.place}"
    return base if not supply.place or linked in base else f"{base}{linked}"


def room_text(supply: Supply, *, free_bytes: int, cache: str) -> str:
    """Return what a fetch takes and has: the bytes to come, and the room for them."""
    parts = [f"{supply.fetched_bytes:,} bytes to fetch"]
    if supply.copied_bytes:
        parts.append(f"{supply.copied_bytes:,} bytes to copy")
    return f"{', '.join(parts)}; {size_text(free_bytes)} free in {cache}"


def size_text(size_bytes: int) -> str:
    """Return a size as people read it."""
    if size_bytes >= GB:
        return f"{size_bytes / GB:.1f} GB"
    return f"{size_bytes / MB:.1f} MB"


def _trust(supply: Supply) -> str:
    if not supply.unproven:
        return ""
    more = " and more" if len(supply.unproven) > FEW else ""
    return f"; nobody told the hash of {', '.join(supply.unproven[:FEW])}{more}"
