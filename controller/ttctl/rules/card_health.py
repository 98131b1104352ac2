# SPDX-License-Identifier: Apache-2.0
"""Are the cards, their driver, firmware and nodes fit for us? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.card_versions import driver_check, firmware_check
from ttctl.rules.checks import CheckGroup
from ttctl.rules.fit_pages import not_mounted, pages_seen
from ttctl.rules.host_demands import requirements_of
from ttctl.rules.host_steps import (
    CONTAINER_UID,
    GET_PAGES,
    open_them,
    show_holders,
)
from ttctl.rules.hugepages import all_translate, pages_for, translates
from ttctl.rules.node_rights import groups_to_add, opener_of, refused_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import System
    from ttctl.model.health import CardVitals, Check
    from ttctl.model.spec import ModelSpec
    from ttctl.model.telemetry import Answered

_check = CheckGroup("Cards")
LEGACY = "vllm-legacy"
DRIVER_LOG = "sudo dmesg | grep -i tenstorrent"
"""Where tt-kmd writes which card it could not reach."""


def card_checks(
    system: System,
    cards: CardVitals,
    specs: Sequence[ModelSpec] = (),
    *,
    smi: Answered | None = None,
) -> tuple[Check, ...]:
    """Return every verdict on the cards; one line where there is none.

    Args:
        system: The machine.
        cards: What it shows of its cards beyond that.
        specs: Entries whose demands on driver and firmware count, where they are for this device.
        smi: What came of asking tt-smi, None where it was not asked.
    """
    if not cards.pci and not system.chips:
        return (_check("cards", "skipped", "no card: no PCI device of the vendor is here"),)
    asked = requirements_of(specs, system.device)
    found = (_nodes(system, cards), driver_check(system, cards, asked))
    if not cards.nodes:
        return (*found, _smi(cards, smi))
    return (
        *found,
        firmware_check(system, asked),
        _rights(cards),
        _memory_for_transfers(system, cards),
        _leftovers(cards),
        _holders(system, cards),
        _smi(cards, smi),
    )


def _nodes(system: System, cards: CardVitals) -> Check:
    shown = len(cards.nodes)
    what = f"{len(cards.pci)} on the PCI bus, {shown} device node{'' if shown == 1 else 's'}"
    if shown >= len(cards.pci):
        return _check("cards", "ok", f"{system.device or 'no one device'}: {what}")
    bound = {chip.pci_address for chip in system.chips}
    silent = [address for address in cards.pci if address not in bound]
    return _check(
        "cards",
        "failed",
        "not every card has a device node",
        evidence=f"{what}; without one: {', '.join(silent) or 'not known which'}.",
        fix="sudo modprobe tenstorrent" if not shown else DRIVER_LOG,
    )


def _rights(cards: CardVitals) -> Check:
    anybody = opener_of("")
    closed = refused_nodes(cards.nodes, anybody)
    if not closed and (groups := groups_to_add(cards.nodes, anybody)):
        lost = [one.node for one in refused_nodes(cards.nodes, opener_of(LEGACY))]
        return _check(
            "rights",
            "warning",
            f"the nodes are open to group {', '.join(groups)}, which containers get",
            evidence=f"Images below 0.11.0 drop groups, and cannot open {', '.join(lost)}.",
            fix=open_them(lost),
        )
    if not closed:
        return _check("rights", "ok", f"a container's user ({CONTAINER_UID}) may open every node")
    each = ", ".join(
        f"{node.node} {node.mode:04o} of uid {node.uid}, gid {node.gid}" for node in closed
    )
    return _check(
        "rights",
        "failed",
        f"a container's user ({CONTAINER_UID}) may not open every node",
        evidence=f"{each}; expected 0666, which the driver's udev rule sets.",
        fix=open_them(node.node for node in closed),
    )


def _memory_for_transfers(system: System, cards: CardVitals) -> Check:
    """Hugepages, or an IOMMU that translates in their place."""
    seen = pages_seen(cards)
    bare = [address for address, kind in cards.iommu if not translates(kind)]
    translated = all_translate(seen.iommu)
    needed = pages_for(len(system.chips))
    found = f"{cards.hugepages} pages of 1 GiB, {needed} needed"
    enough = translated or cards.hugepages >= needed
    if enough and not cards.hugepages_mounted:
        return _check(
            "transfers",
            "failed",
            "the hugepages are not mounted",
            evidence=not_mounted(found, seen).summary,
            fix=not_mounted(found, seen).next_step,
        )
    if enough:
        more = "; the IOMMU translates in their place where tt-metal can use it"
        return _check("transfers", "ok", f"{found}{more if translated else ''}")
    return _check(
        "transfers",
        "failed",
        "too few hugepages, and no IOMMU in their place",
        evidence=f"{found}; the IOMMU does not translate for {', '.join(bare) or 'any card'}.",
        fix=GET_PAGES,
    )


def _leftovers(cards: CardVitals) -> Check:
    if not cards.leftovers:
        return _check("hugepage files", "ok", "none of another user")
    return _check(
        "hugepage files",
        "warning",
        "files of another user may block a container's",
        evidence=", ".join(cards.leftovers),
        fix=f"sudo rm {' '.join(cards.leftovers)}   # when nothing holds a card",
    )


def _holders(system: System, cards: CardVitals) -> Check:
    held = [(node.node, holder) for node in cards.nodes for holder in node.holders]
    # A container has a board without having it open.
    open_now = {node for node, _ in held}
    held += [
        (node, holder)
        for board in system.boards
        if board.free == "held"
        for node in board.nodes
        if node not in open_now
        for holder in board.holders
    ]
    unseen = [node for board in system.boards if board.free == "unknown" for node in board.nodes]
    if held:
        return _check(
            "holders",
            "warning",
            "a card is in use: another job on it would hang",
            evidence=", ".join(f"{node}: {holder}" for node, holder in held),
            fix=show_holders(holder for _, holder in held),
        )
    if unseen:
        return _check(
            "holders",
            "warning",
            "it cannot be told whether a card is in use",
            evidence=f"{', '.join(unseen)}: another user's processes cannot be looked into.",
            fix=f"sudo fuser -v {' '.join(unseen)}",
        )
    return _check("holders", "ok", "nobody has a card open")


def _smi(cards: CardVitals, asked: Answered | None) -> Check:
    if cards.smi and asked is not None and asked.note:
        return _check(
            "tt-smi",
            "failed" if asked.hung else "warning",
            "tt-smi hangs: a card does not answer" if asked.hung else "tt-smi tells nothing",
            evidence=f"{asked.note}.",
            fix=DRIVER_LOG,
        )
    if cards.smi:
        return _check("tt-smi", "ok", cards.smi)
    return _check(
        "tt-smi",
        "warning",
        "tt-smi is not installed",
        evidence="A card that a killed engine left dirty is reset with it.",
        fix="pipx install tt-smi",
    )
