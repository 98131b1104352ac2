# SPDX-License-Identifier: Apache-2.0
"""Looks at what runs on this machine: the engine, the gateways, the stacks' folders."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.adapters import metrics_client
from ttctl.adapters.doing import doing_in
from ttctl.adapters.engine_live import engine_seen
from ttctl.adapters.pulls import FOLDER, pulls_in
from ttctl.adapters.starts_file import NAME as STARTS
from ttctl.adapters.store import LOCK_NAME
from ttctl.model.live import LiveEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ttctl.adapters.starts_file import StartsFile
    from ttctl.adapters.store import StateFolder
    from ttctl.model.live import Doing, EngineSeen
    from ttctl.model.tls import At


class LiveSources:
    """The sources of `status --live`."""

    def __init__(
        self, environ: Mapping[str, str], *, state: Path, store: StateFolder, starts: StartsFile
    ) -> None:
        """Nothing is looked at yet; `state` is ttctl's state folder."""
        self._environ = environ
        self._state = state
        self._store = store
        self._starts = starts

    def now(self) -> float:
        """Return the Unix time in seconds."""
        return time.time()

    def engine(self, *, since: float) -> EngineSeen:
        """Return containers, their memory, and what happened to them from `since` on."""
        owner = self._store.owner()
        return engine_seen(self._environ, owner=owner, since=since, now=self.now())

    def metrics(self, at: At, key: str, path: str) -> str:
        """Return what a gateway on loopback answers at `path`, up to a limit."""
        return metrics_client.text_at(at, key, path)

    def doing(self, stacks: Sequence[str]) -> tuple[Doing, ...]:
        """Return what commands do that hold one of `stacks`, or fetch for none, at this moment."""
        found = (doing_in(self._store.home(stack)) for stack in stacks)
        pulls = pulls_in(self._state / FOLDER)
        return (*(one for one in found if one is not None), *pulls)

    def noted(self, stacks: Sequence[str]) -> tuple[LiveEvent, ...]:
        """Return when locks were written last, and the last start whose length was kept."""
        found: list[LiveEvent] = []
        for stack in stacks:
            with suppress(OSError):
                at = (self._store.folder(stack) / LOCK_NAME).stat().st_mtime
                found.append(LiveEvent(at=at, stack=stack, service="", text="lock written"))
        for last in self._starts.earlier()[-1:]:
            with suppress(OSError):
                at = (self._state / STARTS).stat().st_mtime
                text = f"{last.key.partition(' ')[0]} answered {last.seconds:.0f} s after its start"
                found.append(LiveEvent(at=at, stack="", service="", text=text))
        return tuple(found)
