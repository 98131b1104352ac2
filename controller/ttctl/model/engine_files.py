# SPDX-License-Identifier: Apache-2.0
"""What operations ask of the folders that an engine's container writes, and of its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCache:
    """What engines of one kind have left for the next start: converted tensors, kernels, logs."""

    name: str
    path: Path
    size_bytes: int
    parts: tuple[tuple[str, int], ...] = ()
    """(folder in it, its size in bytes), the largest first."""


class EngineFiles(Protocol):
    """Folders on this host that outlive a stack's containers."""

    def cache(self, name: str) -> Path:
        """Return where a cache lies, whether it is there or not."""

    def prepare(self, name: str, folders: Sequence[str], *, user: int | None) -> None:
        """Make a cache's folders so that the container's user can write there.

        Args:
            name: Of the cache.
            folders: Below it; `.` is the cache itself.
            user: Whose files the container can write; None where it changes them itself.

        Raises:
            PrivilegeError: Somebody else's files are in the way.
        """

    def caches(self, name: str = "") -> tuple[EngineCache, ...]:
        """Return every cache with its size, or only the one of that name where it is there."""

    def ensure_key(self, stack: str) -> None:
        """Make the key that the gateway sends to an engine which wants one, where it is missing."""

    def secrets(self, stack: str) -> Path:
        """Return the folder with that key, which the engine mounts."""
