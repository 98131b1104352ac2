# SPDX-License-Identifier: Apache-2.0
"""What of a stack's cards is not there yet after a boot? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.domains import domains_of
from ttctl.rules.fit_pages import pages_seen
from ttctl.rules.hugepages import all_translate

if TYPE_CHECKING:
    from collections.abc import Collection

    from ttctl.model.device import System
    from ttctl.model.health import CardVitals


def nodes_missing(system: System, boards: Collection[str]) -> tuple[str, ...]:
    """Return which of these boards, by the names of their leases, the driver shows no node of."""
    shown = {name for one in domains_of(system) if one.nodes for name in one.names}
    return tuple(board for board in boards if board not in shown)


def pages_missing(cards: CardVitals) -> str:
    """Return what is missing of the hugepages, empty where nothing is or an IOMMU translates."""
    seen = pages_seen(cards)
    if all_translate(seen.iommu):
        return ""
    if not seen.total:
        return "no hugepages of 1 GiB"
    return "" if seen.mounted else "hugepages that are not mounted on /dev/hugepages-1G"


def cards_missing(system: System, cards: CardVitals, boards: Collection[str]) -> str:
    """Return in a phrase what a stack with these boards would not find, empty where it is here."""
    if nodes := nodes_missing(system, boards):
        return f"no node of {', '.join(nodes)}"
    return pages_missing(cards)
