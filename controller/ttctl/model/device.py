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


Verdict = Literal["healthy", "warning", "error", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One card, with the chips that have no device node of their own."""

    id: str
    """Board number in hex, the PCI address of its first chip where the firmware gives none."""
    family: str
    """`n300`, `p150`, `galaxy-wh`; empty where the driver does not say."""
    nodes: tuple[str, ...]
    """Device nodes through which it is used; a remote chip is used through its board's."""
    pci_addresses: tuple[str, ...]
    asic_ids: tuple[str, ...] = ()
    chips: int
    """ASICs on the board, remote ones counted."""
    firmware: str = ""
    verdict: Verdict = "unknown"
    reasons: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    """Stacks, containers and processes that have it, `pid 12 (python3)`."""
    free: Literal["free", "held", "unknown"] = "unknown"
    """`unknown` where another user's processes cannot be seen."""
    dirty: str = ""
    """Why it needs a reset: how the container that had it ended; empty where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formed:
    """A device that some boards of the machine can make up."""

    device: str
    boards: tuple[str, ...]
    """Ids of the boards."""
    reason: str
    part_of: str = ""
    """Family of the board of which it is one chip, `p300`; empty where whole boards make it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """How Wormhole boards were made known to each other."""

    kind: Literal["mesh", "linear/torus", "isolated", "unknown"]
    """tt-topology's own words; it cannot tell a line from a torus either."""
    reason: str
    """By what that was told, or why it could not be."""
    source: str = ""
    """Who told it, empty where nobody did."""


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
    boards: tuple[Board, ...] = ()
    forms: tuple[Formed, ...] = ()
    """Every device that the boards, or some of them, can make up, the largest first."""
    mesh_device: str = ""
    """What `MESH_DEVICE` says in the environment, in upstream's spelling."""
    replayed: bool = False
    """Whether a snapshot shows another machine: of its disk, pages and nodes' rights nothing is
    known, and a memory of 0 is one that is not told."""
    topology: Topology | None = None
    """None where no device that the boards make up needs one, or where nobody looked."""
