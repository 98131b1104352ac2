# SPDX-License-Identifier: Apache-2.0
"""Which weights are in the cache, are they still whole, and how do they go?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.adapters.kernel_lock import held
from ttctl.adapters.staging import PREFIX
from ttctl.errors import TtctlError
from ttctl.model.weights import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ttctl.model.protocols import Reporter

LOCK_TIMEOUT_S = 10
"""Whoever fetches or removes the same snapshot is waited for this long."""


class CachedWeights:
    """One cache folder, as `LocalWeights` fills it."""

    def __init__(self, cache: Path) -> None:
        """`cache` holds all weights, such as `~/.cache/ttctl/weights`."""
        self._cache = cache

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every whole snapshot, by repository and revision."""
        found = [one for folder in self._folders() if (one := _snapshot(folder))]
        return tuple(sorted(found, key=lambda one: (one.repository, one.revision)))

    def damaged(self, snapshot: Snapshot, reporter: Reporter) -> tuple[str, ...]:
        """Read every file, and return those that are not what they were."""
        known = manifest.read(snapshot.folder)
        if known is None:
            return (manifest.NAME,)
        wrong: list[str] = []
        done = 0
        for entry in known.files:
            try:
                fits = manifest.sha256_of(snapshot.folder / entry.path) == entry.sha256
            except OSError:
                fits = False
            if not fits:
                wrong.append(entry.path)
            done += entry.size_bytes
            reporter.progress(done, snapshot.size_bytes, "bytes")
        return tuple(wrong)

    def remove(self, snapshot: Snapshot, reporter: Reporter) -> None:
        """Remove it: first its name, then its files.

        Raises:
            LockedError: Another command fetches or removes it.
            TtctlError: The file system refuses.
        """
        final = snapshot.folder
        going = final.with_name(PREFIX + final.name)
        lock = final.with_name(f".{final.name}.lock")
        with held(lock, timeout_s=LOCK_TIMEOUT_S, reporter=reporter):
            try:
                shutil.rmtree(going, ignore_errors=True)
                final.rename(going)
                shutil.rmtree(going)
            except OSError as exc:
                raise TtctlError(
                    f"The weights {snapshot.repository!r} could not be removed.",
                    why=exc.strerror or "the file system refused",
                    evidence=str(exc.filename or final),
                    next_step=f"ls -ld {final.parent}",
                ) from exc

    def _folders(self) -> Iterator[Path]:
        for pattern in ("*/[0-9a-f]*", "bundled/*/[0-9a-f]*"):
            yield from (one for one in self._cache.glob(pattern) if one.is_dir())


def _snapshot(folder: Path) -> Snapshot | None:
    known = manifest.read(folder)
    if known is None:
        return None
    return Snapshot(
        repository=known.repository,
        revision=known.revision or folder.name,
        shipped=known.kind == "bundled",
        files=len(known.files),
        size_bytes=sum(one.size_bytes for one in known.files),
        folder=folder,
    )
