# SPDX-License-Identifier: Apache-2.0
"""How do the cards' nodes, pages and users look? From sysfs and procfs. Not yet run on a card."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ttctl.adapters.holders import holders
from ttctl.adapters.tree import NODES, names_in, number_in, pci_devices, text_of, word_of
from ttctl.model.health import CardVitals, NodeVitals
from ttctl.rules.card_health import CONTAINER_UID

_PAGES = "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
_MOUNT = re.compile(r"^\S+ /dev/hugepages-1G hugetlbfs ", re.MULTILINE)
"""The driver library looks for this very folder. Source: tt-umd, hugepage.cpp"""
_LEFTOVER = re.compile(r"device_\d+_.*tenstorrent")


def card_vitals(root: Path = Path("/")) -> CardVitals:
    """Look under `root`; what cannot be read counts as absent."""
    pci = pci_devices(root)
    numbers = sorted(
        (name for name in names_in(root / NODES) if number_in(name) is not None), key=int
    )
    held = holders(root, numbers)
    return CardVitals(
        pci=tuple(pci),
        nodes=tuple(
            node for number in numbers if (node := _node(root, number, held[number].holders))
        ),
        iommu=tuple((address, _iommu(root, address)) for address in pci),
        hugepages=_pages(root),
        hugepages_mounted=bool(_MOUNT.search(text_of(root / "proc/mounts"))),
        leftovers=tuple(_leftovers(root)),
        smi=shutil.which("tt-smi") or "",
    )


def _node(root: Path, number: str, held: tuple[str, ...]) -> NodeVitals | None:
    try:
        found = (root / NODES / number).stat()
    except OSError:
        # It went away with its chip.
        return None
    return NodeVitals(
        node=f"/{NODES}/{number}",
        mode=found.st_mode & 0o7777,
        uid=found.st_uid,
        gid=found.st_gid,
        holders=held,
    )


def _pages(root: Path) -> int:
    return number_in(text_of(root / _PAGES)) or 0


def _iommu(root: Path, address: str) -> str:
    return word_of(root / "sys/bus/pci/devices" / address / "iommu_group/type")


def _leftovers(root: Path) -> list[str]:
    folder = root / "dev/hugepages-1G"
    found = []
    for name in names_in(folder):
        try:
            foreign = (folder / name).stat().st_uid != CONTAINER_UID
        except OSError:
            continue
        if foreign and _LEFTOVER.fullmatch(name):
            found.append(f"/dev/hugepages-1G/{name}")
    return found
