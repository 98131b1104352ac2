# SPDX-License-Identifier: Apache-2.0
"""How many hugepages do cards need, if any? Pure. Not yet run on a card."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.rules.device_sizes import SIZES
from ttctl.rules.families import NODES_PER_BOARD, is_galaxy
from ttctl.rules.one_chip import nodes_used
from ttctl.rules.versions import at_least

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.device import Board

PAGES_PER_NODE = 4
"""1 GiB pages that the driver library takes for a Wormhole or Blackhole chip with a node; a remote
chip is reached through its board's and takes none.

Source: tt-system-tools, hugepages-setup.sh
"""


FILE = re.compile(r"device_(\d+)_.*tenstorrent")
"""A file of the driver library on the hugepages, with the number of its node.

Source: tenstorrent/tt-umd, hugepage.cpp
"""


def pages_for(nodes: int) -> int:
    """Return how many pages of 1 GiB that many device nodes need."""
    return PAGES_PER_NODE * nodes


def nodes_of(device: str, boards: Sequence[Board]) -> int:
    """Return how many nodes a device has: those of its boards, else those that it should have."""
    if shown := len(nodes_used(device, boards)):
        return shown
    size = SIZES[device]
    if is_galaxy(size.board):
        return size.chips
    return size.boards * NODES_PER_BOARD.get(size.board, 1)


def translates(kind: str) -> bool:
    """Return whether an IOMMU group of this type translates, so that no hugepages are needed.

    Source: tt-umd, device/pcie/pci_device.cpp: a type that begins with DMA counts
    """
    return kind.startswith("DMA")


PAGELESS_DRIVER = "1.29"
"""The driver from which on memory is pinned through an IOMMU.

Source: tt-inference-server pull request 4924
"""


KNOWN_WITHOUT: tuple[str, ...] = ()
"""Commits of tt-metal that are known to run without the mount behind such an IOMMU.

None is: tt-umd pull request 2342 does without it, and which commits have it nobody has read yet.
"""


def needs_mount(
    *, tt_metal: str, iommu: Sequence[str], driver: str, known: Sequence[str] = KNOWN_WITHOUT
) -> bool:
    """Return whether a container must see the hugepages: in doubt it must.

    What is said of a machine and what is launched on it both go by this.

    Args:
        tt_metal: The entry's commit.
        iommu: Type of each card's IOMMU group, as the kernel says it.
        driver: Version of the driver.
        known: Commits that are known to do without.
    """
    able = any(tt_metal.startswith(commit) for commit in known)
    return not (able and all_translate(iommu) and at_least(driver, PAGELESS_DRIVER))


def all_translate(iommu: Sequence[str]) -> bool:
    """Return whether an IOMMU translates for every card; for none it does not."""
    return bool(iommu) and all(map(translates, iommu))


def files_of(files: Iterable[str], nodes: Iterable[str]) -> tuple[str, ...]:
    """Return the driver library's files of some nodes: it opens those again that it finds."""
    numbers = {node.rpartition("/")[2] for node in nodes}
    return tuple(name for name in files if (found := FILE.fullmatch(name)) and found[1] in numbers)
