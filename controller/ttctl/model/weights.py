# SPDX-License-Identifier: Apache-2.0
"""Weights that are in the cache of this user. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.protocols import Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A repository at one revision, whole when it was put there."""

    repository: str
    revision: str
    """40 hex digits for the hub's; for weights that ttctl ships, a digest of their files."""
    shipped: bool
    """Whether they came with ttctl, and not from the hub."""
    files: int
    size_bytes: int
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What reading a snapshot from its first byte to its last has shown."""

    snapshot: Snapshot
    damaged: tuple[str, ...]
    """Files that are gone, or no longer what they were; empty where all is well."""


class WeightsCache(Protocol):
    """The snapshots that are here."""

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every one, by repository and revision."""

    def damaged(self, snapshot: Snapshot, reporter: Reporter) -> tuple[str, ...]:
        """Read every file of it, and return those that are not what they were."""

    def remove(self, snapshot: Snapshot, reporter: Reporter) -> None:
        """Remove it; what is half removed has no name that a start would take."""
