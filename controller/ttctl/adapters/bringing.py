# SPDX-License-Identifier: Apache-2.0
"""How does one file of the weights come: out of another tool's cache, or from the hub?"""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING

from ttctl.adapters.hub_cache import can_link

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.adapters.hub_cache import HubCache
    from ttctl.model.lock import LockedFile, LockedWeights

    Bring = Callable[[LockedFile, Path, Callable[[int], None]], str]
    """Brings a file to a path, counts its bytes, returns the hub's name for the content."""


class FromCacheOrHub:
    """Gives a file of the hub's cache a second name, else copies it, else asks the hub.

    A file that was taken from the cache and is asked for again was wrong there: then the hub is.
    """

    def __init__(
        self, locked: LockedWeights, cache: HubCache | None, hub: Callable[[], Bring]
    ) -> None:
        """`hub` is called when the first file has to come from there."""
        self._locked = locked
        self._cache = cache
        self._hub = hub
        self._bring: Bring | None = None
        self._taken: set[str] = set()
        self.told: dict[str, str] = {}
        """The hub's names for the contents that were brought, by path."""
        self._mutex = threading.Lock()

    def __call__(self, file: LockedFile, target: Path, on_bytes: Callable[[int], None]) -> str:
        """Bring it."""
        self.told[file.path] = self._brought(file, target, on_bytes)
        return self.told[file.path]

    def _brought(self, file: LockedFile, target: Path, on_bytes: Callable[[int], None]) -> str:
        found = self._cache.copy(self._locked, file) if self._cache else None
        if found is None or file.path in self._taken:
            return self._from_hub()(file, target, on_bytes)
        self._taken.add(file.path)
        target.unlink(missing_ok=True)
        _link_or_copy(found.path, target)
        on_bytes(file.size_bytes)
        return found.content_id

    def _from_hub(self) -> Bring:
        with self._mutex:
            if self._bring is None:
                self._bring = self._hub()
            return self._bring


def _link_or_copy(source: Path, target: Path) -> None:
    if can_link(source, target.parent):
        try:
            os.link(source, target)
        except OSError:  # a file system without links
            pass
        else:
            return
    shutil.copyfile(source, target)
