# SPDX-License-Identifier: Apache-2.0
"""Another machine's cards in place of this one's, so that its plan can be looked at here."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.rules.replay import replayed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.model.device import System
    from ttctl.model.protocols import Host
    from ttctl.model.site import Site
    from ttctl.model.telemetry import Telemetry


class ReplayedHost:
    """This machine with the cards of a snapshot."""

    def __init__(self, host: Host, read: Callable[[], Telemetry]) -> None:
        """Read nothing yet; `read` gives the snapshot."""
        self._host = host
        self._read = read

    def system(self) -> System:
        """Return the snapshot's cards, with the memory that it tells."""
        return self._system

    def free_bytes(self, path: Path) -> int:
        """Return the free space here."""
        return self._host.free_bytes(path)

    def port_holder(self, address: str, port: int) -> str | None:
        """Return who listens here."""
        return self._host.port_holder(address, port)

    def reaches(self, url: str, site: Site) -> bool:
        """Return whether anything answers from here."""
        return self._host.reaches(url, site)

    def why_not(self, url: str, site: Site) -> str:
        """Return why nothing answers from here."""
        return self._host.why_not(url, site)

    def package_index(self, site: Site) -> str:
        """Return the package index of this place."""
        return self._host.package_index(site)

    @cached_property
    def _system(self) -> System:
        return replayed(self._read(), self._host.system())
