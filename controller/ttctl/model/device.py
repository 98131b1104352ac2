# SPDX-License-Identifier: Apache-2.0
"""What a machine is made of. Values only: nothing here reads, writes or prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

DeviceName = Literal[
    "cpu", "n150", "n150x4", "n300", "t3k", "p100", "p150", "p150x4", "p150x8", "p300", "p300x2",
    "galaxy", "galaxy_t3k", "blackhole_galaxy", "dual_galaxy", "quad_galaxy", "gpu",
]  # fmt: skip
"""Upstream's device types in lower case, plus ours: `cpu`."""

DEVICE_NAMES: tuple[str, ...] = get_args(DeviceName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One ASIC that the driver shows as a device node."""

    node: str
    """Path of the device node, `/dev/tenstorrent/N`."""
    arch: str
    """`wormhole_b0`, `blackhole`, or the PCI device id where it is neither."""
    card_type: str
    """What the driver calls the card (`n300`, `p150a`), empty where it says nothing."""
    pci_address: str
    """PCI address, `0000:01:00.0`."""
    serial: str = ""
    """The board's serial number in hex; chips of one board share it."""
    asic_id: str = ""
    """The chip's own number in hex; it survives resets and reordered nodes."""
    firmware: str = ""
    """Version of the firmware bundle, `19.15.0.0`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A machine as found."""

    device: str
    """The device type that the cards make up, `cpu` where there is none."""
    chips: tuple[Chip, ...] = ()
    cores: int
    memory_bytes: int
    machine: str
    """The processor's name for itself, `x86_64`."""
    cpu_flags: frozenset[str] = field(default_factory=frozenset)
    driver: str = ""
    """Version of the Tenstorrent kernel driver, empty where none is loaded."""
    reason: str = ""
    """Why `device` is what it is."""
    evidence: str = ""
    """What was found, where `device` could not be told from it."""
