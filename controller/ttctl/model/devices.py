# SPDX-License-Identifier: Apache-2.0
"""What `devices` says of boards, and of what pins ask of their host. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.device import Board, Topology
    from ttctl.model.health import Check
    from ttctl.model.telemetry import ChipReading


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardInfo:
    """Everything that is known of one board."""

    board: Board
    chips: tuple[ChipReading, ...]
    """Of the driver's files, completed by tt-smi's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesInfo:
    """Boards with their values, and where those are from."""

    device: str
    boards: tuple[BoardInfo, ...]
    source: str
    """Who gave the telemetry; empty where only the driver's files did."""
    taken: str = ""
    """The moment that it names for itself."""
    age_s: float | None = None
    """Seconds since it was read; None for a file."""
    notes: tuple[str, ...] = ()
    topology: Topology | None = None
    """How the boards are wired; None where no device of theirs needs a mesh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """Versions of a host's programs that were validated together."""

    driver: str
    firmware: str
    smi: str
    flash: str
    hugepages: str
    metal: str
    installer: str
    source: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one pin in use asks of the host."""

    who: str
    """A stack, or a model that was named."""
    model: str
    device: str
    what: str
    """`firmware` or `driver`."""
    specifier: str
    strict: bool
    met: bool | None
    """None where the specifier or the version is not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesCheck:
    """Whether the host satisfies every pin in use."""

    device: str
    driver: str
    firmware: tuple[str, ...]
    demands: tuple[Demand, ...]
    driver_wanted: str
    """Versions that satisfy every demand; empty where there is no demand."""
    firmware_wanted: str
    golden: Golden
    checks: tuple[Check, ...]
    passed: bool
    topology: Topology | None = None
    """As in `DevicesInfo`."""
