# SPDX-License-Identifier: Apache-2.0
"""How do the cards' nodes, pages and users look? From sysfs and procfs. Not yet run on a card.

Source: tt-kmd: /proc/driver/tenstorrent/N/pids lists who has a node open.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.host import names_in, pci_devices, text_of
from ttctl.model.health import CardVitals, NodeVitals
from ttctl.rules.card_health import CONTAINER_UID

if TYPE_CHECKING:
    from collections.abc import Mapping

_NODES = "dev/tenstorrent"
_PAGES = "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
_MOUNT = re.compile(r"^\S+ /dev/hugepages-1G hugetlbfs ", re.MULTILINE)
"""The driver library looks for this very folder. Source: tt-umd, hugepage.cpp"""
_LEFTOVER = re.compile(r"device_\d+_.*tenstorrent")


def card_vitals(root: Path = Path("/")) -> CardVitals:
    """Look under `root`; what cannot be read counts as absent."""
    pci = pci_devices(root)
    numbers = sorted((name for name in names_in(root / _NODES) if name.isdigit()), key=int)
    opened = _opened(root) if numbers else {}
    return CardVitals(
        pci=tuple(pci),
        nodes=tuple(_node(root, number, opened) for number in numbers),
        iommu=tuple((address, _iommu(root, address)) for address in pci),
        hugepages=int(text_of(root / _PAGES) or 0),
        hugepages_mounted=bool(_MOUNT.search(text_of(root / "proc/mounts"))),
        leftovers=tuple(_leftovers(root)),
        smi=shutil.which("tt-smi") or "",
    )


def _node(root: Path, number: str, opened: Mapping[str, set[str]]) -> NodeVitals:
    found = (root / _NODES / number).stat()
    # The driver's own list also has those whom this user may not see.
    pids = set(text_of(root / "proc/driver/tenstorrent" / number / "pids").split())
    pids |= opened.get(f"/{_NODES}/{number}", set())
    known = sorted((pid for pid in pids if pid.isdigit()), key=int)
    return NodeVitals(
        node=f"/{_NODES}/{number}",
        mode=found.st_mode & 0o7777,
        uid=found.st_uid,
        holders=tuple(
            f"pid {pid} ({text_of(root / 'proc' / pid / 'comm') or 'unknown'})" for pid in known
        ),
    )


def _iommu(root: Path, address: str) -> str:
    return text_of(root / "sys/bus/pci/devices" / address / "iommu_group/type")


def _opened(root: Path) -> dict[str, set[str]]:
    """Return the processes that have a node open, by node, as far as this user may see."""
    found: dict[str, set[str]] = {}
    for pid in names_in(root / "proc"):
        folder = root / "proc" / pid / "fd"
        for name in names_in(folder) if pid.isdigit() else ():
            try:
                target = str((folder / name).readlink())
            except OSError:
                continue
            if target.startswith(f"/{_NODES}/"):
                found.setdefault(target, set()).add(pid)
    return found


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
