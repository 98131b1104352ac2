# SPDX-License-Identifier: Apache-2.0
"""Which weights are here, are they still whole, and how do those of ours go?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.adapters.file_proofs import is_content, told
from ttctl.adapters.hub_cache import copy_in, paths_in
from ttctl.adapters.kernel_lock import held
from ttctl.adapters.needed_files import needed
from ttctl.adapters.staging import PREFIX
from ttctl.adapters.weights_elsewhere import Elsewhere
from ttctl.errors import TtctlError
from ttctl.model.weights import Snapshot, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ttctl.model.protocols import Reporter

LOCK_TIMEOUT_S = 10
"""Whoever fetches or removes the same snapshot is waited for this long."""


class CachedWeights:
    """One cache folder, as `LocalWeights` fills it, and what other tools and the user have."""

    def __init__(self, cache: Path, elsewhere: Elsewhere | None = None) -> None:
        """`cache` holds all weights, such as `~/.cache/ttctl/weights`."""
        self._cache = cache
        self._elsewhere = elsewhere or Elsewhere()

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return every whole snapshot, by repository and revision; ours hide the same of others."""
        own = [one for folder in self._folders() if (one := _snapshot(folder))]
        names = {(one.repository, one.revision) for one in own}
        others = (
            one
            for one in (*self._in_hub_cache(), *self._in_folders())
            if (one.repository, one.revision) not in names
        )
        return tuple(sorted((*own, *others), key=lambda one: (one.repository, one.revision)))

    def verdict(self, snapshot: Snapshot, reporter: Reporter, *, quick: bool) -> Verdict:
        """Read every file; under `quick` only those that changed since they were read.

        What was found whole is remembered, so that a start does not read it again.
        """
        known, record = self._known(snapshot)
        if known is None and snapshot.keeper == "ttctl":
            return Verdict(snapshot=snapshot, damaged=(manifest.NAME,))
        if known is None:
            return _held_against_names(snapshot, reporter)
        entries: list[manifest.Entry] = []
        done = 0
        for entry in known.files:
            now = _again(snapshot.folder, entry, quick=quick)
            entries += [now] if now else []
            done += entry.size_bytes
            reporter.progress(done, snapshot.size_bytes, "bytes")
        found = {one.path for one in entries}
        damaged = tuple(one.path for one in known.files if one.path not in found)
        if record and not damaged and tuple(entries) != known.files:
            manifest.write(snapshot.folder, known.with_entries(entries))
        return Verdict(snapshot=snapshot, damaged=damaged)

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

    def _known(self, snapshot: Snapshot) -> tuple[manifest.Manifest | None, bool]:
        """Return what was found when it was read, and whether that is written in its folder."""
        if snapshot.keeper == "ttctl":
            return manifest.read(snapshot.folder), True
        folders = self._elsewhere.folders
        known = folders.known(snapshot.folder) if folders and snapshot.keeper == "folder" else None
        proven = known is not None and not known.unproven and not known.wrong
        return (known.files if known and proven else None), False

    def _in_hub_cache(self) -> Iterator[Snapshot]:
        if self._elsewhere.cache is None:
            return
        for locked, folder in self._elsewhere.cache.snapshots():
            yield Snapshot(
                repository=locked.repository,
                revision=locked.revision,
                shipped=False,
                files=len(locked.files),
                size_bytes=sum(one.size_bytes for one in locked.files),
                folder=folder,
                keeper="hub cache",
            )

    def _in_folders(self) -> Iterator[Snapshot]:
        folders = self._elsewhere.folders
        for folder in folders.models() if folders else ():
            known = folders.known(folder) if folders else None
            paths = needed(paths_in(folder))
            commits = {told(folder, one)[0] for one in paths}
            yield Snapshot(
                repository=known.files.repository if known else folder.name,
                revision=commits.pop() if len(commits) == 1 else "",
                shipped=False,
                files=len(paths),
                size_bytes=sum((folder / one).stat().st_size for one in paths),
                folder=folder,
                keeper="folder",
            )


def _again(folder: Path, entry: manifest.Entry, *, quick: bool) -> manifest.Entry | None:
    """Return the entry as the file is now, None where its content is another or gone."""
    if quick:
        return manifest.recheck(folder, entry)
    try:
        found = manifest.sha256_of(folder / entry.path)
        now = manifest.describe(folder, entry.path, found)
    except OSError:
        return None
    return now if found == entry.sha256 else None


def _held_against_names(snapshot: Snapshot, reporter: Reporter) -> Verdict:
    """Read what another tool or the user keeps, and hold it against the hub's names beside it."""
    damaged, unproven, done = [], [], 0
    for path in sorted(needed(paths_in(snapshot.folder))):
        copy = copy_in(snapshot.folder, path) if snapshot.keeper == "hub cache" else None
        content_id = copy.content_id if copy else told(snapshot.folder, path)[1]
        file = snapshot.folder / path
        if not content_id:
            unproven.append(path)
        elif not is_content(file, manifest.sha256_of(file), content_id):
            damaged.append(path)
        done += file.stat().st_size
        reporter.progress(done, snapshot.size_bytes, "bytes")
    return Verdict(snapshot=snapshot, damaged=tuple(damaged), unproven=tuple(unproven))


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
        shared_bytes=sum(_shared_bytes(folder / one.path) for one in known.files),
    )


def _shared_bytes(path: Path) -> int:
    """Return the size of a file that has a second name, 0 for any other."""
    try:
        seen = path.stat()
    except OSError:
        return 0
    return seen.st_size if seen.st_nlink > 1 else 0
