# SPDX-License-Identifier: Apache-2.0
"""Are the cards, their driver, firmware and nodes fit for us? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup
from ttctl.rules.families import family_of
from ttctl.rules.host_demands import requirements_of, satisfied
from ttctl.rules.hugepages import pages_for, translates
from ttctl.rules.satisfying import satisfies
from ttctl.rules.versions import at_least, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import System
    from ttctl.model.health import CardVitals, Check, NodeVitals
    from ttctl.model.pins import Requirement
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.host_demands import What

_check = CheckGroup("Cards")

CONTAINER_UID = 1000
"""The user that opens the nodes inside a container."""
NEEDS_IOMMU_DRIVER = "1.29"
NEEDS_TLB_DRIVER = "1.34"
LIMITED_BEFORE = "2.0"
"""Below the second, today's driver library refuses; with an IOMMU, below the first any does; below
the third its support for an IOMMU is limited.

Source: https://github.com/tenstorrent/tt-umd/blob/86400804ce24b77edd737cc8ee6dea2b667e4632/device/pcie/pci_device.cpp
and https://github.com/tenstorrent/tt-umd/blob/d6b2dcea085fbc293a0b669734fa387809db1e6d/device/api/umd/device/utils/kmd_versions.hpp
"""


def card_checks(
    system: System, cards: CardVitals, specs: Sequence[ModelSpec] = ()
) -> tuple[Check, ...]:
    """Return every verdict on the cards; one line where there is none.

    Args:
        system: The machine.
        cards: What it shows of its cards beyond that.
        specs: Entries whose demands on driver and firmware count, where they are for this device.
    """
    if not cards.pci and not system.chips:
        return (_check("cards", "skipped", "no card: no PCI device of the vendor is here"),)
    asked = requirements_of(specs, system.device)
    found = (_nodes(system, cards), _driver(system, cards, asked))
    if not cards.nodes:
        return (*found, _smi(cards))
    return (
        *found,
        _firmware(system, asked),
        _rights(cards),
        _memory_for_transfers(system, cards),
        _leftovers(cards),
        _holders(cards),
        _smi(cards),
    )


def _nodes(system: System, cards: CardVitals) -> Check:
    shown = len(cards.nodes)
    what = f"{len(cards.pci)} on the PCI bus, {shown} device node{'' if shown == 1 else 's'}"
    if shown >= len(cards.pci):
        return _check("cards", "ok", f"{system.device or 'of no known device'}: {what}")
    bound = {chip.pci_address for chip in system.chips}
    silent = [address for address in cards.pci if address not in bound]
    return _check(
        "cards",
        "failed",
        "not every card has a device node",
        evidence=f"{what}; without one: {', '.join(silent) or 'not known which'}.",
        fix="sudo modprobe tenstorrent" if not shown else "sudo dmesg | grep -i tenstorrent",
    )


def _driver(system: System, cards: CardVitals, asked: Sequence[Requirement]) -> Check:
    driver = system.driver
    if not driver:
        return _check(
            "driver",
            "failed",
            "the kernel driver is not loaded",
            evidence="There is no /sys/module/tenstorrent/version.",
            fix="sudo modprobe tenstorrent   # after: sudo apt-get install tenstorrent-dkms",
        )
    if not numbers(driver):
        return _check(
            "driver",
            "warning",
            "it is not known whether it is new enough",
            evidence=f"{driver!r} in /sys/module/tenstorrent/version is no version.",
            fix="modinfo -F version tenstorrent",
        )
    translated = any(translates(kind) for _, kind in cards.iommu)
    reasons = {
        NEEDS_IOMMU_DRIVER: "the driver library refuses an older one with an IOMMU",
        NEEDS_TLB_DRIVER: "today's driver library refuses an older one",
    }
    if not translated:
        del reasons[NEEDS_IOMMU_DRIVER]
    for oldest, why in reasons.items():
        if not at_least(driver, oldest):
            return _check(
                "driver",
                "failed",
                f"{driver} is too old",
                evidence=f"Expected {oldest} or newer: {why}.",
                fix="sudo apt-get install --only-upgrade tenstorrent-dkms",
            )
    if unmet := _unmet("driver", driver, system.device, asked):
        return unmet
    if translated and not at_least(driver, LIMITED_BEFORE):
        return _check(
            "driver",
            "warning",
            f"{driver} supports an IOMMU in part only",
            evidence=f"Expected {LIMITED_BEFORE} or newer.",
            fix="sudo apt-get install --only-upgrade tenstorrent-dkms",
        )
    return _check("driver", "ok", driver)


def _firmware(system: System, asked: Sequence[Requirement]) -> Check:
    found = sorted({chip.firmware for chip in system.chips} - {""})
    if not found:
        return _check(
            "firmware",
            "warning",
            "the driver does not say which",
            evidence="tt_fw_bundle_ver is empty or missing for every card.",
            fix="tt-smi -s",
        )
    # Cards of different kinds make up no mesh: each kind has its own bundle.
    pairs = {(family_of(chip.card_type), chip.firmware) for chip in system.chips}
    kinds = {family for family, _ in pairs}
    if len(pairs) > len(kinds) or not all(chip.firmware for chip in system.chips):
        each = ", ".join(f"{chip.node} {chip.firmware or 'unknown'}" for chip in system.chips)
        return _check(
            "firmware",
            "failed",
            "the cards do not have the same",
            evidence=f"{each}; chips of one mesh must share one bundle.",
            fix="tt-flash --version   # then flash the same bundle on every card",
        )
    if unmet := _unmet("firmware", found[0], system.device, asked):
        return unmet
    if unread := [one for one in found if satisfies(one, "") is None]:
        text = f"{', '.join(unread)} is not understood"
        return _check("firmware", "warning", text, fix="tt-smi -s")
    if len(found) > 1:
        return _check("firmware", "ok", f"{', '.join(found)}: the same on every card of a kind")
    return _check("firmware", "ok", f"{found[0]} on every card")


def _unmet(what: What, version: str, device: str, asked: Sequence[Requirement]) -> Check | None:
    """Return what the entries for this device do not find, a strict demand first."""
    unmet = [one for one in asked if one.what == what and not satisfied(one, version)]
    if not unmet:
        return None
    worst = max(unmet, key=lambda one: one.strict)
    update = "sudo apt-get install --only-upgrade tenstorrent-dkms"
    flash = "tt-flash --version   # then flash a newer bundle"
    return _check(
        what,
        "failed" if worst.strict else "warning",
        f"{version} is not what models for {device} are validated with",
        evidence=f"Expected {', '.join(dict.fromkeys(one.specifier for one in unmet))}; upstream "
        f"{'refuses to start without it' if worst.strict else 'warns without it'}.",
        fix=update if what == "driver" else flash,
    )


def _rights(cards: CardVitals) -> Check:
    closed = [node for node in cards.nodes if not _opens(node)]
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
        fix=f"sudo chmod 0666 {' '.join(node.node for node in closed)}",
    )


def _opens(node: NodeVitals) -> bool:
    bits = node.mode >> 6 if node.uid == CONTAINER_UID else node.mode
    return bits & 0o6 == 0o6  # noqa: PLR2004 - read and write


def _memory_for_transfers(system: System, cards: CardVitals) -> Check:
    """Hugepages, or an IOMMU that translates in their place."""
    bare = [address for address, kind in cards.iommu if not translates(kind)]
    needed = pages_for(len(system.chips))
    if not bare and cards.iommu:
        return _check("transfers", "ok", "the IOMMU translates; no hugepages are needed")
    found = f"{cards.hugepages} pages of 1 GiB, {needed} needed"
    if cards.hugepages >= needed and cards.hugepages_mounted:
        return _check("transfers", "ok", found)
    if cards.hugepages >= needed:
        return _check(
            "transfers",
            "failed",
            "the hugepages are not mounted",
            evidence=f"{found}; nothing is mounted on /dev/hugepages-1G.",
            fix="sudo systemctl restart 'dev-hugepages\\x2d1G.mount'",
        )
    return _check(
        "transfers",
        "failed",
        "too few hugepages, and no IOMMU in their place",
        evidence=f"{found}; the IOMMU does not translate for {', '.join(bare) or 'any card'}.",
        fix="sudo systemctl restart tenstorrent-hugepages.service   # or boot with the IOMMU on",
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


def _holders(cards: CardVitals) -> Check:
    held = [(node.node, holder) for node in cards.nodes for holder in node.holders]
    if not held:
        return _check("holders", "ok", "nobody has a card open")
    # One outside this container has no number here.
    pids = sorted({one.split()[1] for _, one in held if one.startswith("pid ")}, key=int)
    return _check(
        "holders",
        "warning",
        "a card is in use: another job on it would hang",
        evidence=", ".join(f"{node}: {holder}" for node, holder in held),
        fix=f"ps -o pid,user,etime,args -p {','.join(pids)}" if pids else "ttctl devices ls",
    )


def _smi(cards: CardVitals) -> Check:
    if cards.smi:
        return _check("tt-smi", "ok", cards.smi)
    return _check(
        "tt-smi",
        "warning",
        "tt-smi is not installed",
        evidence="A card that a killed engine left dirty is reset with it.",
        fix="pipx install tt-smi",
    )
