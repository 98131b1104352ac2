# SPDX-License-Identifier: Apache-2.0
"""What is typed to put a host right, and what no driver may be older than? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.house import HOUSE_UID
from ttctl.rules.versions import at_least, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable


CONTAINER_UID = HOUSE_UID
"""The user that opens the nodes inside a container, while no image is chosen."""

LOAD_DRIVER = "sudo modprobe tenstorrent   # after: sudo apt-get install tenstorrent-dkms"
UPDATE = {
    "driver": "sudo apt-get install --only-upgrade tenstorrent-dkms",
    "firmware": "tt-flash --version   # then flash a bundle that is wanted",
}
TELLS = {"driver": "modinfo -F version tenstorrent", "firmware": "tt-smi -s"}
FLASH_THE_SAME = "tt-flash --version   # then flash the same bundle on every card"
GET_PAGES = "sudo systemctl restart tenstorrent-hugepages.service   # or boot with the IOMMU on"
MOUNT_PAGES = "sudo systemctl restart 'dev-hugepages\\x2d1G.mount'"
"""Source: tt-system-tools, the names of its two units"""
REMOUNT_PAGES = f"{MOUNT_PAGES}   # after what is in its place was taken away"
SHOW_PAGES = "ls -l /dev/hugepages-1G   # `ttctl devices check` says which files nobody uses"

UDEV_RULE = "the driver's udev-50-tenstorrent.rules"
"""Source: tenstorrent/tt-kmd"""

NEEDS_IOMMU_DRIVER = "1.29"
NEEDS_TLB_DRIVER = "1.34"
LIMITED_BEFORE = "2.0"
"""Below the second, today's driver library refuses; with an IOMMU, below the first any does; below
the third its support for an IOMMU is limited.

Source: https://github.com/tenstorrent/tt-umd/blob/86400804ce24b77edd737cc8ee6dea2b667e4632/device/pcie/pci_device.cpp
and https://github.com/tenstorrent/tt-umd/blob/d6b2dcea085fbc293a0b669734fa387809db1e6d/device/api/umd/device/utils/kmd_versions.hpp
"""


def refused_driver(driver: str, *, translated: bool) -> tuple[str, str]:
    """Return the oldest driver that the driver library takes, and why; empty where this one is.

    Args:
        driver: Its version; one that is no version is not judged.
        translated: Whether an IOMMU translates for a card.
    """
    if not numbers(driver):
        return "", ""
    if translated and not at_least(driver, NEEDS_IOMMU_DRIVER):
        return NEEDS_IOMMU_DRIVER, "the driver library refuses an older one with an IOMMU"
    if not at_least(driver, NEEDS_TLB_DRIVER):
        return NEEDS_TLB_DRIVER, "today's driver library refuses an older one"
    return "", ""


def open_them(nodes: Iterable[str]) -> str:
    """Return what is typed so that everybody may open some nodes, as the driver's rule has it."""
    return f"sudo chmod 0666 {' '.join(nodes)}   # for good: {UDEV_RULE} sets it"


def show_holders(holders: Iterable[str]) -> str:
    """Return what shows the processes that hold a card; one of another container has no number."""
    pids = sorted({one.split()[1] for one in holders if one.startswith("pid ")}, key=int)
    return f"ps -o pid,user,etime,args -p {','.join(pids)}" if pids else "ttctl devices ls"
