# SPDX-License-Identifier: Apache-2.0
"""What `doctor` looks at on this machine, and the few things that it mends."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.card_vitals import card_vitals
from ttctl.adapters.engine_vitals import engine_vitals
from ttctl.adapters.folder_vitals import folder_vitals, strays
from ttctl.adapters.place_vitals import place_vitals
from ttctl.adapters.process import run
from ttctl.errors import TtctlError
from ttctl.model.health import PlaceFolders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ttctl.adapters.sources import Sources
    from ttctl.model.health import CardVitals, EngineVitals, Mending, PlaceVitals
    from ttctl.model.site import Site

REMOVE_S = 30
PRIVATE = ("stacks/*", "logs")
"""What in the state folder is for the user alone: keys and what programs printed."""


class LocalVitals:
    """This machine and this user's folders."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        state: Path,
        cache: Path,
        sources: Sources,
        root: Path = Path("/"),
        device_root: Path | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            environ: May name the engine.
            state: The state folder.
            cache: The cache folder.
            sources: Public addresses.
            root: Where the host's file system starts.
            device_root: The same for the cards alone, None for no other.
        """
        self._device_root = device_root or root
        self._environ = environ
        self._state, self._cache = state, cache
        self._sources = sources
        self._root = root

    def engine(self) -> EngineVitals:
        """Ask the docker program."""
        return engine_vitals(self._environ, root=self._root)

    def folders(self) -> PlaceFolders:
        """Look at the state and the cache folder."""
        return PlaceFolders(
            state=folder_vitals(self._state, private=PRIVATE), cache=folder_vitals(self._cache)
        )

    def cards(self) -> CardVitals:
        """Look at the cards' nodes. Not yet run on a card."""
        return card_vitals(self._device_root)

    def place(self, site: Site) -> PlaceVitals:
        """Look at the clock, the certificates and where this place goes; nothing is asked."""
        return place_vitals(site, self._sources, now=time.time())

    def mend(self, what: Mending, targets: Sequence[str] = ()) -> None:
        """Do one harmless thing.

        Args:
            what: `make-private` closes the state folder, `sweep` removes temporary files of
                killed commands, `remove-containers` removes containers that never started.
            targets: Container ids, for the last.

        Raises:
            TtctlError: It could not be done.
        """
        try:
            match what:
                case "make-private":
                    self._state.chmod(0o700)
                case "sweep":
                    for folder in (self._state, self._cache):
                        for stray in strays(folder):
                            stray.unlink(missing_ok=True)
                case "remove-containers":
                    self._remove(targets)
        except OSError as error:
            raise TtctlError(
                "It could not be mended.",
                why=error.strerror or "the file system refused",
                evidence=str(error.filename or self._state),
                next_step="ttctl doctor",
            ) from error

    def _remove(self, targets: Sequence[str]) -> None:
        # Without --force: what began to run in the meantime is refused.
        done = run(["docker", "rm", *targets], timeout_s=REMOVE_S, environ=self._environ)
        if done.returncode != 0:
            raise TtctlError(
                "The containers could not be removed.",
                why=f"docker rm ended with {done.returncode}.",
                evidence=done.tail(3),
                next_step="ttctl ps --all",
            )
