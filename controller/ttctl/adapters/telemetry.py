# SPDX-License-Identifier: Apache-2.0
"""What chips say: by the driver's files, by tt-smi, or by a snapshot that somebody took."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.chip_sensors import sensors
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from ttctl.adapters.tt_smi import TtSmi
    from ttctl.adapters.tt_topology import TtTopology
    from ttctl.model.devices import Golden
    from ttctl.model.telemetry import Answered, ChipReading, Listed, Telemetry

MOST_BYTES = 64 << 20


class LocalTelemetry:
    """This machine's chips, or a tree's."""

    def __init__(self, root: Path, smi: TtSmi, wiring: TtTopology, *, catalog: Path) -> None:
        """Look under `root` and ask `smi` and `wiring`; `catalog` is the built-in one's folder."""
        self._root = root
        self._smi = smi
        self._wiring = wiring
        self._catalog = catalog

    def sensors(self, *, watch: bool) -> tuple[ChipReading, ...]:
        """Return what the driver's files say; `watch` looks twice, to see whether hearts beat.

        In a tree that was made up nothing changes by itself, so one look is all that counts there.
        """
        return sensors(self._root, watch=watch and self._root == Path("/"))

    def kept(self) -> Answered:
        """Return what came of asking tt-smi a moment ago, nothing where that is too long ago."""
        return self._smi.kept()

    def ask(self) -> Answered:
        """Return what tt-smi says, or said a moment ago; it is waited for within a limit."""
        return self._smi.ask()

    def listed(self, *, ask: bool) -> Listed:
        """Return how tt-topology lists the boards, or listed them a moment ago."""
        return self._wiring.listed(ask=ask)

    def replay(self, file: Path) -> Telemetry:
        """Read a snapshot that somebody took.

        Raises:
            BadFileError: It cannot be read, or is none.
        """
        from ttctl.adapters.tt_smi_snapshot import parse_snapshot  # noqa: PLC0415 - rarely asked

        try:
            with file.open("rb") as stream:
                data = stream.read(MOST_BYTES)
        except (OSError, ValueError) as error:
            raise BadFileError(
                f"The snapshot {str(file)!r} cannot be read.",
                why=getattr(error, "strerror", None) or str(error),
                evidence=str(file),
                next_step="tt-smi -s > snapshot.json",
            ) from error
        text = data.decode("utf-8-sig", errors="replace")
        return parse_snapshot(text, f"snapshot {file.name}", age_s=None)

    def golden(self) -> Golden:
        """Return the versions that were validated together.

        Raises:
            BadFileError: The file is damaged.
        """
        from ttctl.adapters.golden import read_golden  # noqa: PLC0415 - loads pydantic

        return read_golden(self._catalog)
