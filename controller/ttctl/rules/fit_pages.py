# SPDX-License-Identifier: Apache-2.0
"""Has a machine the hugepages that a container is launched with? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.match import Finding
from ttctl.rules.host_steps import GET_PAGES, MOUNT_PAGES, REMOUNT_PAGES, SHOW_PAGES
from ttctl.rules.hugepages import all_translate, files_of, needs_mount, nodes_of, pages_for
from ttctl.rules.one_chip import nodes_used

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board
    from ttctl.model.health import CardVitals
    from ttctl.model.match import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What of a machine decides whether a container finds the memory for its transfers."""

    total: int | None = None
    """Pages of 1 GiB; None where nobody looked."""
    mounted: bool = False
    free: int | None = None
    found: str = "nothing"
    """What is at /dev/hugepages-1G where it is not a mount of such pages."""
    files: tuple[str, ...] = ()
    """The driver library's files in there."""
    iommu: tuple[str, ...] = ()
    """Kind of each card's IOMMU group."""


NOT_LOOKED = Pages()


def pages_seen(cards: CardVitals) -> Pages:
    """Return what of the cards' surroundings decides."""
    return Pages(
        total=cards.hugepages,
        mounted=cards.hugepages_mounted,
        free=cards.hugepages_free,
        found=cards.hugepages_found,
        files=cards.hugepage_files,
        iommu=tuple(kind for _, kind in cards.iommu),
    )


def of_pages(
    device: str, boards: Sequence[Board], seen: Pages, *, tt_metal: str, driver: str
) -> Finding:
    """Return whether the hugepages are there that a container of these boards is launched with."""
    if not needs_mount(tt_metal=tt_metal, iommu=seen.iommu, driver=driver):
        return _of("ok", f"an IOMMU translates, and tt-metal {tt_metal} does without hugepages")
    if seen.total is None:
        return _of("unknown", "neither hugepages nor an IOMMU were looked for")
    needed = pages_for(nodes_of(device, boards))
    text = f"{needed} hugepages of 1 GiB are needed, {seen.total} are here"
    translated = all_translate(seen.iommu)
    if not seen.mounted and (seen.total or translated):
        return not_mounted(text, seen)
    if translated:
        return _of("ok", f"{text}; an IOMMU translates in their place where tt-metal can use it")
    own = files_of(seen.files, nodes_used(device, boards))
    # The driver library opens its own files again, whose pages count as used.
    return _counted(text, needed, seen.total, free=seen.total if own else seen.free)


def _counted(text: str, needed: int, total: int, *, free: int | None) -> Finding:
    if not total:
        return _of("blocked", f"{text}, and no IOMMU translates", GET_PAGES)
    if free == 0:
        return _of("blocked", f"{text}, and none is free", SHOW_PAGES)
    if total < needed:
        return _of("warning", text, GET_PAGES)
    if free is not None and free < needed:
        return _of("warning", f"{text}, {free} of them free", SHOW_PAGES)
    return _of("ok", text)


def not_mounted(text: str, seen: Pages) -> Finding:
    """Return that containers cannot be given the hugepages, and what is in their place."""
    said = f"{text}, not mounted on /dev/hugepages-1G: {seen.found} is there"
    if all_translate(seen.iommu):
        said += "; an IOMMU translates, but the driver library in the image may ask for the mount"
    return _of("blocked", said, MOUNT_PAGES if seen.found == "nothing" else REMOUNT_PAGES)


def _of(verdict: Verdict, summary: str, step: str = "") -> Finding:
    return Finding(subject="pages", verdict=verdict, summary=summary, next_step=step)
