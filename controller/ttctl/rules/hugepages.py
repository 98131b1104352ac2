# SPDX-License-Identifier: Apache-2.0
"""How many hugepages do cards need, if any? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.device_sizes import SIZES
from ttctl.rules.families import NODES_PER_BOARD, is_galaxy
from ttctl.rules.versions import at_least

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.contract import LaunchContract
    from ttctl.model.device import Board

PAGES_PER_NODE = 4
"""1 GiB pages that the driver library takes for a Wormhole or Blackhole chip with a node; a remote
chip is reached through its board's and takes none.

Source: tt-system-tools, hugepages-setup.sh
"""


def pages_for(nodes: int) -> int:
    """Return how many pages of 1 GiB that many device nodes need."""
    return PAGES_PER_NODE * nodes


def nodes_of(device: str, boards: Sequence[Board]) -> int:
    """Return how many nodes a device has: those of its boards, else those that it should have."""
    if shown := sum(len(board.nodes) for board in boards):
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


def needs_mount(contract: LaunchContract, *, tt_metal: str, iommu: str, driver: str) -> bool:
    """Return whether a container must see the hugepages: in doubt it must.

    Args:
        contract: Names the commits of tt-metal that are known to run without.
        tt_metal: The entry's commit.
        iommu: Type of the cards' IOMMU group, as the kernel says it.
        driver: Version of the driver.
    """
    known = any(tt_metal.startswith(commit) for commit in contract.without_hugepages)
    return not (known and translates(iommu) and at_least(driver, PAGELESS_DRIVER))
