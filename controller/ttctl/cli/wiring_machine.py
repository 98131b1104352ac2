# SPDX-License-Identifier: Apache-2.0
"""Wires what looks at this machine: its cards, who has them, what is wrong with it."""
# ruff: noqa: PLC0415 - an adapter is loaded when its part of the world is first asked for

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places

if TYPE_CHECKING:
    from ttctl.adapters.settings import Settings
    from ttctl.adapters.starts_file import StartsFile
    from ttctl.model.leasing import Leases
    from ttctl.model.protocols import Host, Reporter
    from ttctl.model.reset import Resets
    from ttctl.model.telemetry import TelemetrySource
    from ttctl.model.vitals import Vitals


class WiredMachine(ABC):
    """This machine, or the one that a snapshot and a device root stand for."""

    def __init__(self, settings: Settings, *, snapshot: Path | None) -> None:
        """Nothing is read or asked yet; `snapshot` is what tt-smi said of other cards."""
        self._settings = settings
        self._snapshot = snapshot
        self._environ = dict(os.environ)

    @property
    @abstractmethod
    def reporter(self) -> Reporter:
        """Whoever watches."""

    @property
    def cache(self) -> Path:
        """Where downloads lie."""
        return places.cache(self._environ)

    @cached_property
    def host(self) -> Host:
        """This machine."""
        from ttctl.adapters.host import LocalHost

        mesh = self._environ.get("MESH_DEVICE", "")
        host = LocalHost(self._root, mesh_device=mesh, own=Path("/"))
        snapshot = self._snapshot
        if snapshot is None:
            return host
        from ttctl.adapters.replayed_host import ReplayedHost

        return ReplayedHost(host, lambda: self.telemetry.replay(snapshot))

    @cached_property
    def leases(self) -> Leases:
        """Who has which board of this host."""
        from ttctl.adapters.leases import HostLeases

        state = places.state(self._environ)
        # A listing, which waits for nobody, does without what the reporter loads.
        return HostLeases(
            self._environ, root=self._root, state=state, reporter=lambda: self.reporter
        )

    @cached_property
    def starts(self) -> StartsFile:
        """How long earlier starts took."""
        from ttctl.adapters.starts_file import StartsFile

        return StartsFile(places.state(self._environ), lambda: self.reporter)

    @cached_property
    def resets(self) -> Resets:
        """tt-smi."""
        from ttctl.adapters.resetter import SmiResets

        return SmiResets(self._environ, root=self._root)

    @cached_property
    def telemetry(self) -> TelemetrySource:
        """What the cards say."""
        from ttctl.adapters.telemetry import LocalTelemetry
        from ttctl.adapters.tt_smi import TtSmi
        from ttctl.adapters.tt_topology import TtTopology

        cache = self.cache / "devices"
        limit = float(self._settings.find("device.tt_smi_timeout").value or 0)
        age = float(self._settings.find("device.max_age").value or 0)
        smi = TtSmi(self._environ, cache=cache, limit_s=limit, max_age_s=age)
        listing = TtTopology(
            self._environ, root=self._root, cache=cache, limit_s=limit, max_age_s=age
        )
        return LocalTelemetry(self._root, smi, listing, catalog=places.catalog())

    @cached_property
    def vitals(self) -> Vitals:
        """The machine and the place, for `doctor`."""
        from ttctl.adapters.sources import read_sources
        from ttctl.adapters.vitals import LocalVitals

        return LocalVitals(
            self._environ,
            state=places.state(self._environ),
            cache=self.cache,
            sources=read_sources(places.catalog()),
            device_root=self._root,
        )

    @property
    def _log_file(self) -> Path:
        """Where the whole of what children print is kept."""
        return places.state(self._environ) / "logs" / f"{Path(sys.argv[0]).name}.log"

    @cached_property
    def _root(self) -> Path:
        """Where sysfs, procfs and /dev are; only ever another folder than / for trials."""
        return places.device_root(self._settings.find("device.root"))
