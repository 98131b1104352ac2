# SPDX-License-Identifier: Apache-2.0
"""Weights that are in the cache of this user. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lock import LockedWeights
    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site
    from ttctl.model.spec import Weights


SPARE_BYTES = 64 << 20
"""What a fetch leaves free of the disk: it writes its manifest there, and others write, too."""


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
    keeper: Literal["ttctl", "hub cache", "folder"] = "ttctl"
    """Whose they are: `hub cache` is the hub's tools', `folder` one of the user's own. What is not
    ttctl's is only read."""
    shared_bytes: int = 0
    """How much of ttctl's own has a name elsewhere, too, such as in the hub's cache: to remove it
    here frees nothing of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What reading a snapshot from its first byte to its last has shown."""

    snapshot: Snapshot
    damaged: tuple[str, ...]
    """Files that are gone, or no longer what they were; empty where all is well."""
    unproven: tuple[str, ...] = ()
    """Files that nothing could be held against: nobody told their hashes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Where weights come from, and how much of them is to come."""

    total_bytes: int
    fetched_bytes: int
    """What the hub has to send."""
    copied_bytes: int = 0
    """What is copied from another tool's cache, because it cannot be linked."""
    place: str = ""
    """Another tool's cache or a folder of the user's that holds some or all; empty for none."""
    mounted: bool = False
    """Whether containers read that very folder."""
    unproven: tuple[str, ...] = ()
    """Files there that nothing could be held against."""


class WeightsCache(Protocol):
    """The snapshots that are here."""

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every one, by repository and revision."""

    def verdict(self, snapshot: Snapshot, reporter: Reporter, *, quick: bool) -> Verdict:
        """Read every file of it; under `quick` only those that changed since they were read."""

    def remove(self, snapshot: Snapshot, reporter: Reporter) -> None:
        """Remove it; what is half removed has no name that a start would take."""


class WeightsStore(Protocol):
    """Fetches weights and knows which are here."""

    def resolve(self, weights: Weights, site: Site) -> LockedWeights:
        """Make a source exact: revision, files, sizes, hashes.

        Raises:
            OfflineError: The hub does not answer and nothing is cached.
        """

    def is_complete(self, locked: LockedWeights) -> bool:
        """Return whether every file is here with its size and hash."""

    def fetch(self, locked: LockedWeights, site: Site, reporter: Reporter) -> None:
        """Bring what is missing and verify it; what is not whole never carries the final name."""

    def path(self, locked: LockedWeights) -> Path:
        """Return the folder that a container mounts."""

    def supply(self, locked: LockedWeights) -> Supply:
        """Return where they come from, and how much of them is to come."""
