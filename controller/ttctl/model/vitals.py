# SPDX-License-Identifier: Apache-2.0
"""What `doctor` asks of the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.health import CardVitals, EngineVitals, Mending, PlaceFolders, PlaceVitals
    from ttctl.model.site import Site


class Vitals(Protocol):
    """Looks at this machine and this place, and mends what is harmless."""

    def engine(self) -> EngineVitals:
        """Ask the docker program; never raises, what cannot be told stays empty."""

    def folders(self) -> PlaceFolders:
        """Look at the state and the cache folder."""

    def cards(self) -> CardVitals:
        """Look at the cards' nodes."""

    def place(self, site: Site) -> PlaceVitals:
        """Look at the clock, the certificates and where this place goes; nothing is asked."""

    def mend(self, what: Mending, targets: Sequence[str] = ()) -> None:
        """Do one harmless thing.

        Args:
            what: `make-private` closes the state folder, `sweep` removes temporary files of
                killed commands, `remove-containers` removes containers that never started.
            targets: Container ids, for the last.

        Raises:
            TtctlError: It could not be done.
        """
