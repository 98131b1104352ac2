# SPDX-License-Identifier: Apache-2.0
"""Are driver, firmware, nodes and pages what an entry needs? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.match import Finding
from ttctl.rules.board_choice import bundles
from ttctl.rules.host_steps import (
    CONTAINER_UID,
    FLASH_THE_SAME,
    GET_PAGES,
    LOAD_DRIVER,
    MOUNT_PAGES,
    TELLS,
    UPDATE,
    open_them,
    refused_driver,
)
from ttctl.rules.hugepages import nodes_of, pages_for, translates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.match import Subject, Verdict
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.advised import Satisfies


def of_driver(system: System, iommu: Sequence[str]) -> list[Finding]:
    """Return what is wrong with the driver, whatever the entry."""
    boards = system.boards
    shown = any(board.nodes for board in boards)
    if not system.driver and not shown and any(board.pci_addresses for board in boards):
        return [_blocked("driver", "the kernel driver is not loaded", LOAD_DRIVER)]
    oldest, why = refused_driver(system.driver, translated=any(map(translates, iommu)))
    if not oldest:
        return []
    text = f"driver {system.driver} is too old: {oldest} or newer is needed, {why}"
    return [_blocked("driver", text, UPDATE["driver"])]


def of_versions(
    spec: ModelSpec, driver: str, boards: Sequence[Board], satisfies: Satisfies
) -> list[Finding]:
    """Return each demand of the entry on driver and firmware, and whether it is met."""
    found = []
    for one in spec.requirements:
        versions = bundles(boards) if one.what == "firmware" else (driver,) * bool(driver)
        named = ", ".join(versions) or "not known"
        text = f"{one.what} {one.specifier}; here: {named}"
        answers = [satisfies(version, one.specifier) for version in versions]
        verdict: Verdict = "ok"
        if False in answers:
            verdict = "blocked" if one.strict else "warning"
            text += ", which upstream refuses" if one.strict else ", which upstream warns of"
        elif not answers or None in answers:
            verdict = "unknown"
            text += ", which is not understood" if answers else ""
        steps = {
            "blocked": UPDATE[one.what],
            "warning": UPDATE[one.what],
            "unknown": TELLS[one.what],
        }
        step = steps.get(verdict, "")
        found.append(Finding(subject=one.what, verdict=verdict, summary=text, next_step=step))
    return found


def mixed(boards: Sequence[Board]) -> list[Finding]:
    """Return that boards of one mesh have different firmware, where they have."""
    versions = bundles(boards)
    if len(versions) < 2:  # noqa: PLR2004 - two differ
        return []
    text = f"its boards have different firmware: {', '.join(versions)}"
    text += "; chips of one mesh must share one bundle"
    return [_blocked("firmware", text, FLASH_THE_SAME)]


def of_rights(boards: Sequence[Board], closed: Sequence[str] | None) -> list[Finding]:
    """Return the nodes of some boards that a container's user may not open.

    Args:
        boards: The boards.
        closed: What may not be opened, None where nobody looked.
    """
    nodes = [node for board in boards for node in board.nodes]
    if closed is None and nodes:
        text = f"whether a container's user ({CONTAINER_UID}) may open the nodes is not known"
        return [Finding(subject="rights", verdict="unknown", summary=text)]
    own = [node for node in nodes if node in (closed or ())]
    if not own:
        return []
    text = f"a container's user ({CONTAINER_UID}) may not open {', '.join(own)}"
    return [_blocked("rights", text, open_them(own))]


def of_pages(
    device: str,
    boards: Sequence[Board],
    *,
    iommu: Sequence[str],
    hugepages: int | None,
    mounted: bool,
) -> Finding:
    """Return whether there are hugepages, or an IOMMU that translates in their place."""
    if iommu and all(map(translates, iommu)):
        text = "an IOMMU translates, no hugepages are needed"
        return Finding(subject="pages", verdict="ok", summary=text)
    if hugepages is None:
        text = "neither hugepages nor an IOMMU were looked for"
        return Finding(subject="pages", verdict="unknown", summary=text)
    needed = pages_for(nodes_of(device, boards))
    text = f"{needed} hugepages of 1 GiB are needed, {hugepages} are here"
    if not hugepages:
        return _blocked("pages", f"{text}, and no IOMMU translates", GET_PAGES)
    if not mounted:
        return _blocked("pages", f"{text}, not mounted on /dev/hugepages-1G", MOUNT_PAGES)
    if hugepages < needed:
        return Finding(subject="pages", verdict="warning", summary=text, next_step=GET_PAGES)
    return Finding(subject="pages", verdict="ok", summary=text)


def _blocked(subject: Subject, summary: str, step: str) -> Finding:
    return Finding(subject=subject, verdict="blocked", summary=summary, next_step=step)
