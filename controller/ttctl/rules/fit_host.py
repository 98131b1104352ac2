# SPDX-License-Identifier: Apache-2.0
"""Are driver, firmware and nodes what an entry needs? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.match import Finding
from ttctl.rules.board_choice import bundles
from ttctl.rules.host_steps import (
    FLASH_THE_SAME,
    LOAD_DRIVER,
    TELLS,
    UPDATE,
    open_them,
    refused_driver,
)
from ttctl.rules.hugepages import translates
from ttctl.rules.node_rights import group_is_lost, groups_to_add, refused_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.health import NodeVitals
    from ttctl.model.match import Subject, Verdict
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.advised import Satisfies
    from ttctl.rules.node_rights import Opener


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


def of_rights(used: Sequence[str], seen: Sequence[NodeVitals] | None, who: Opener) -> list[Finding]:
    """Return the nodes that stay closed to a container's user, or the group by which it gets in.

    Args:
        used: The nodes that the container gets.
        seen: Mode and owner of the machine's nodes, None where nobody looked.
        who: Who opens them.
    """
    user = f"a container's user{'' if who.uid is None else f' ({who.uid})'}"
    if seen is None and used:
        text = f"whether {user} may open the nodes is not known"
        return [Finding(subject="rights", verdict="unknown", summary=text)]
    own = [one for one in seen or () if one.node in used]
    if closed := refused_nodes(own, who):
        text = f"{user} may not open {', '.join(one.node for one in closed)}"
        if any(group_is_lost(one, who) for one in closed):
            text += "; their group might, but this image becomes a user of its own and drops groups"
        return [_blocked("rights", text, open_them(one.node for one in closed))]
    if groups := groups_to_add(own, who):
        text = f"the nodes are open to group {', '.join(groups)} only: the container gets it"
        return [Finding(subject="rights", verdict="ok", summary=text)]
    return []


def _blocked(subject: Subject, summary: str, step: str) -> Finding:
    return Finding(subject=subject, verdict="blocked", summary=summary, next_step=step)
