# SPDX-License-Identifier: Apache-2.0
"""What chips say of themselves, and what is asked of whoever reads it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import Topology
    from ttctl.model.devices import Golden


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipReading:
    """One chip's own values, by the driver's files or by tt-smi. None: it does not say."""

    pci_address: str = ""
    """Empty for a chip that is reached through another one."""
    asic_id: str = ""
    board_id: str = ""
    card_type: str = ""
    """`n300`, without the ` L` and ` R` of tt-smi."""
    remote: bool = False
    """Whether it is reached through another chip of its board."""
    firmware: str = ""
    """Version of the firmware bundle, empty where it has none to tell."""
    temperature_c: float | None = None
    throttle_c: float | None = None
    """From here on the chip slows down."""
    shutdown_c: float | None = None
    """Here it switches itself off."""
    power_w: float | None = None
    power_limit_w: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    clock_mhz: float | None = None
    clock_limit_mhz: float | None = None
    fan_rpm: float | None = None
    heartbeat: int | None = None
    beats: bool | None = None
    """Whether the heartbeat changed between two looks, None where there were not two."""
    trips: int | None = None
    """How often it switched itself off for its temperature."""
    dram_ok: bool | None = None
    coords: str = ""
    """A Wormhole chip's place among those that it is wired to, `(1, 0, 0, 0)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What tt-smi said of every chip, at one moment."""

    chips: tuple[ChipReading, ...]
    source: str
    """`tt-smi 6.6.0`, or the file that it was read from."""
    driver: str = ""
    memory_bytes: int = 0
    """Memory of the machine that the chips are in, 0 where it is not told."""
    holders: tuple[tuple[int, str], ...] = ()
    """(number of the chip in tt-smi's order, `pid 12 (python3)`)."""
    taken: str = ""
    """The moment that it names, as it spells it."""
    age_s: float | None = 0
    """Seconds since it was read; None for a file, which names a moment itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of asking tt-smi."""

    telemetry: Telemetry | None
    note: str = ""
    """Why there is none."""
    hung: bool = False
    """Whether it did not answer at all, and was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What came of asking tt-topology."""

    topology: Topology | None
    note: str = ""
    """Why there is none."""


class TopologySource(Protocol):
    """Lists how boards are wired, as tt-topology does."""

    def listed(self, *, ask: bool) -> Listed:
        """Return what it says, or said a moment ago; it is started only with `ask`."""


class TelemetrySource(TopologySource, Protocol):
    """Reads what chips say; never raises for what a tool or a driver does."""

    def sensors(self, *, watch: bool) -> tuple[ChipReading, ...]:
        """Return what the driver's files say; `watch` looks twice, to see whether hearts beat."""

    def kept(self) -> Answered:
        """Return what came of asking tt-smi a moment ago, nothing where that is too long ago."""

    def ask(self) -> Answered:
        """Return what tt-smi says, or said a moment ago; it is waited for within a limit."""

    def replay(self, file: Path) -> Telemetry:
        """Read a snapshot that somebody took.

        Raises:
            BadFileError: It is none.
        """

    def golden(self) -> Golden:
        """Return the versions that were validated together.

        Raises:
            BadFileError: The file is damaged.
        """
