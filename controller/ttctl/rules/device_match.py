# SPDX-License-Identifier: Apache-2.0
"""Which device do these cards make up? Pure. Not yet run on a card."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.rules.families import CARRIER, DEVICES, NODES_PER_BOARD, family_of, is_galaxy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Chip

VENDOR = "1e52"
"""PCI vendor id of Tenstorrent."""


_BEHIND = (
    "These are the carriers of a four-unit Galaxy: its chips have no nodes, and only tt-smi shows "
    "them (--tt-smi-snapshot FILE)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMatch:
    """What a machine's cards make up; `device` is empty where that cannot be told."""

    device: str
    reason: str
    evidence: str = ""


def match_device(
    chips: Sequence[Chip], *, pci: Sequence[str], hidden: Sequence[str] = ()
) -> DeviceMatch:
    """Name the device that `chips` make up. Not yet run on a card.

    Args:
        chips: What the driver shows, one per node.
        pci: Each PCI device of the vendor, `0000:01:00.0 (1e52:b140)`, with or without a driver.
        hidden: Nodes that the driver made but that are not to be seen here.
    """
    if not chips:
        return _without_nodes(pci, hidden)
    families = Counter(family_of(chip.card_type) for chip in chips)
    found = _found(chips, pci, hidden)
    if "" in families:
        return DeviceMatch(
            device="",
            reason="The driver does not say what kind of card it is.",
            evidence=f"{found}; expected a known word in tt_card_type.",
        )
    if len(families) > 1:
        kinds = ", ".join(sorted(families))
        return DeviceMatch(
            device="",
            reason=f"Cards of different kinds are in this machine: {kinds}.",
            evidence=found,
        )
    [(family, nodes)] = families.items()
    if family == CARRIER:
        return DeviceMatch(device="", reason=_BEHIND, evidence=found)
    return _of_family(family, nodes, _boards(chips, family), found)


def _without_nodes(pci: Sequence[str], hidden: Sequence[str]) -> DeviceMatch:
    if not pci:
        return DeviceMatch(
            device="cpu", reason=f"no Tenstorrent card: no PCI device of vendor {VENDOR}"
        )
    reason = (
        "The device nodes of the cards cannot be seen here."
        if hidden
        else "A Tenstorrent card is in this machine, but the driver does not show it."
    )
    return DeviceMatch(device="", reason=reason, evidence=_found((), pci, hidden))


def _of_family(family: str, nodes: int, boards: int, found: str) -> DeviceMatch:
    wanted = boards * NODES_PER_BOARD.get(family, 1)
    if not is_galaxy(family) and nodes != wanted:
        return DeviceMatch(
            device="",
            reason=f"{boards} x {family} should show {wanted} nodes, but {nodes} are here.",
            evidence=found,
        )
    count = nodes if is_galaxy(family) else boards
    device = DEVICES.get((family, count), "")
    if not device:
        known = ", ".join(str(number) for name, number in DEVICES if name == family) or "none"
        return DeviceMatch(
            device="",
            reason=f"No device is made up of {count} x {family}.",
            evidence=f"{found}; known numbers of {family}: {known}.",
        )
    what = "chip" if is_galaxy(family) else "board"
    reason = f"{count} x {family} ({what}{'s' if count > 1 else ''})"
    return DeviceMatch(device=device, reason=reason, evidence=found)


def _boards(chips: Sequence[Chip], family: str) -> int:
    serials = {chip.serial.lower() for chip in chips}
    if all(serial.strip("0") for serial in serials):
        return len(serials)
    # Firmware that gives no serial number: what one board shows is all that there is to count.
    per_board = NODES_PER_BOARD.get(family, 1)
    return -(-len(chips) // per_board)


def _found(chips: Sequence[Chip], pci: Sequence[str], hidden: Sequence[str]) -> str:
    shown = [f"{chip.node} {chip.card_type or 'of unknown kind'}" for chip in chips]
    driven = {chip.pci_address for chip in chips}
    rest = [one for one in pci if one.split(" ", 1)[0] not in driven]
    parts = [", ".join(shown)]
    if hidden:
        parts.append(f"not to be seen here: {', '.join(hidden)}")
    if rest:
        parts.append(f"on PCI without a node: {', '.join(rest)}")
    return "; ".join(part for part in parts if part)
