# SPDX-License-Identifier: Apache-2.0
"""How do the cards' nodes, pages and users look? From sysfs and procfs. Not yet run on a card."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ttctl.adapters.holders import holders
from ttctl.adapters.tree import NODES, names_in, number_in, pci_devices, text_of, word_of
from ttctl.model.health import CardVitals, NodeVitals
from ttctl.rules.host_steps import CONTAINER_UID
from ttctl.rules.hugepages import FILE

_PAGES = "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
_FREE = "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages"
_FOLDER = "dev/hugepages-1G"
_MOUNT = re.compile(r"^\S+ /dev/hugepages-1G (\S+) (\S+) ", re.MULTILINE)
"""The driver library looks for this very folder. Source: tt-umd, hugepage.cpp"""
_SIZE = re.compile(r"\bpagesize=(\w+)")
_ONE_GIB = {"1024M", "1G"}


def card_vitals(root: Path = Path("/")) -> CardVitals:
    """Look under `root`; what cannot be read counts as absent."""
    pci = pci_devices(root)
    numbers = sorted(
        (name for name in names_in(root / NODES) if number_in(name) is not None), key=int
    )
    held = holders(root, numbers)
    found = _found(root)
    return CardVitals(
        pci=tuple(pci),
        nodes=tuple(
            node for number in numbers if (node := _node(root, number, held[number].holders))
        ),
        iommu=tuple((address, _iommu(root, address)) for address in pci),
        hugepages=_pages(root),
        hugepages_mounted=not found,
        hugepages_free=number_in(text_of(root / _FREE)),
        hugepages_found=found,
        hugepage_files=tuple(filter(FILE.fullmatch, names_in(root / _FOLDER))),
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


def _found(root: Path) -> str:
    """Return what is at the folder of the hugepages; empty where it is a mount of 1 GiB pages."""
    mounts = _MOUNT.findall(text_of(root / "proc/mounts"))
    if not mounts:
        return "a plain folder" if (root / _FOLDER).is_dir() else "nothing"
    # What was mounted last lies above the others.
    kind, options = mounts[-1]
    if kind != "hugetlbfs":
        return f"a mount of {kind}"
    size = _SIZE.search(options)
    if size is None or size[1] not in _ONE_GIB:
        return f"a mount of hugepages of {size[1] if size else 'a size that is not told'}"
    return ""


def _iommu(root: Path, address: str) -> str:
    return word_of(root / "sys/bus/pci/devices" / address / "iommu_group/type")


def _leftovers(root: Path) -> list[str]:
    folder = root / _FOLDER
    found = []
    for name in names_in(folder):
        try:
            foreign = (folder / name).stat().st_uid != CONTAINER_UID
        except OSError:
            continue
        if foreign and FILE.fullmatch(name):
            found.append(f"/{_FOLDER}/{name}")
    return found
