# SPDX-License-Identifier: Apache-2.0
"""Which weights are here, are they whole, and how do the others get here?

A folder is filled beside its final place, under a lock of the kernel, and renamed when every file
is verified: what carries the final name is whole. A kill leaves a partial folder, and the next
fetch goes on from there. What another tool or the user has already is linked or mounted from where
it lies, after it was read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ttctl.adapters.bringing import FromCacheOrHub
from ttctl.adapters.hub_share import Offer
from ttctl.adapters.hub_switch import refuse_when_offline
from ttctl.adapters.kernel_lock import held
from ttctl.adapters.shipped_weights import copied, shipped
from ttctl.adapters.staging import Staging, sweep
from ttctl.adapters.weights_elsewhere import Elsewhere
from ttctl.adapters.weights_folders import COMMIT, WeightsFolders, check_name, is_whole
from ttctl.errors import OfflineError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ttctl.adapters.bringing import Bring
    from ttctl.adapters.hub_share import HubShare
    from ttctl.model.lock import LockedFile, LockedWeights
    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site
    from ttctl.model.spec import Weights
    from ttctl.model.weights import Supply

LOCK_TIMEOUT_S = 12 * 3600.0
"""How long a second fetch of the same weights waits for the first one."""
WORKERS = 8
"""Files that are fetched at the same time. Source: the hub library's own default, `max_workers`."""


class Hub(Protocol):
    """The model hub: `ttctl.adapters.hub.HuggingFace`, loaded by the caller when it is needed."""

    def snapshot(self, weights: Weights) -> LockedWeights:
        """Make a repository and revision exact."""

    def bring(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        """Bring one file; return the hub's own name for its content."""

    def content_ids(self, locked: LockedWeights) -> dict[str, str]:
        """Return the hub's names for the contents, by path."""


class LocalWeights:
    """The weights in one cache folder of this user."""

    def __init__(
        self,
        *,
        cache: Path,
        bundled: Callable[[str], Path],
        hub: Callable[[Site], Hub],
        elsewhere: Elsewhere | None = None,
        share: HubShare | None = None,
    ) -> None:
        """Keep where things are; nothing is read yet.

        Args:
            cache: Folder that holds all weights, such as `~/.cache/ttctl/weights`.
            bundled: From the name of a model that ttctl ships to the folder of its files.
            hub: Makes the hub's adapter; called only when the hub is asked.
            elsewhere: What other tools and the user have; None to look at neither.
            share: The hub's cache that gets names of what was fetched; None to give none.
        """
        self._cache = cache
        self._folders = WeightsFolders(cache)
        self._bundled = bundled
        self._hub = hub
        self._elsewhere = elsewhere or Elsewhere()
        self._share = share
        self._heads: set[tuple[str, str]] = set()

    def resolve(self, weights: Weights, site: Site) -> LockedWeights:
        """Make a source exact: revision, files, sizes, hashes.

        A commit that is complete here is taken as it is. A branch is asked for; where the hub
        does not answer, the newest complete snapshot of the repository stands for it, and else
        what the hub's cache or a folder of the user's holds.

        Raises:
            OfflineError: The hub does not answer and nothing is cached.
            PrivilegeError: The hub does not let this user read the repository.
            BadFileError: The repository, or the shipped model, is not there.
        """
        if weights.kind == "bundled":
            return self._shipped(weights.repository)
        if weights.kind == "folder":
            return self._elsewhere.of_folder(weights)
        pinned = COMMIT.fullmatch(weights.revision) is not None
        branch = weights.revision in {"", "main"}
        newest = self._folders.newest
        if pinned and (cached := newest(weights) or self._elsewhere.verified(weights)):
            return cached
        try:
            refuse_when_offline(site, weights.repository)
            locked = self._hub(site).snapshot(weights)
            self._heads |= {(locked.repository, locked.revision)} if branch else set()
        except OfflineError:
            found = newest(weights) if branch else None
            if found := found or self._elsewhere.locked(weights):
                return found
            raise
        return locked

    def is_complete(self, locked: LockedWeights) -> bool:
        """Return whether every file is here with its size and hash."""
        folder = self._folders.own(locked)
        if not folder.exists() and (place := self._elsewhere.place(locked)):
            return self._elsewhere.is_complete(place, locked)
        return is_whole(folder, locked)

    def fetch(self, locked: LockedWeights, site: Site, reporter: Reporter) -> None:
        """Bring what is missing and verify it; what is not whole never carries the final name.

        Raises:
            OfflineError: The hub does not deliver.
            PrivilegeError: The hub does not let this user read a file.
            BadFileError: A file was fetched twice and is not what the lock says.
            TtctlError: The disk is full or refuses.
        """
        final = self._folders.own(locked)
        lock = final.with_name(f".{final.name}.lock")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            with held(lock, timeout_s=LOCK_TIMEOUT_S, reporter=reporter):
                sweep(self._cache, spare=final)
                if not self.is_complete(locked) and not self._taken_over(locked, site, reporter):
                    told = self._fill(self._staging(final, locked, reporter), site)
                    self._give(locked, told, site, reporter)
        except OSError as exc:
            raise TtctlError(
                f"The weights {locked.repository!r} could not be written.",
                why=exc.strerror or "the file system refused",
                evidence=f"Under {self._cache}; what is whole already is kept for the next try.",
                next_step=f"df -h {self._cache}",
            ) from exc

    def path(self, locked: LockedWeights) -> Path:
        """Return the folder that a container mounts.

        Raises:
            BadFileError: The lock's names do not make a path.
        """
        own = self._folders.own(locked)
        place = None if own.exists() else self._elsewhere.place(locked)
        return place or own

    def supply(self, locked: LockedWeights) -> Supply:
        """Return where they come from, and how much of them is to come."""
        own = self._folders.own(locked)
        if not own.exists() and (place := self._elsewhere.place(locked)):
            return self._elsewhere.mounted(place, locked)
        if locked.kind == "bundled":
            return self._elsewhere.supply(locked, {}, beside=self._cache)
        return self._elsewhere.supply(locked, self._folders.lengths(locked), beside=self._cache)

    def _shipped(self, name: str) -> LockedWeights:
        check_name(name, "the name of a shipped model")
        return shipped(name, self._bundled(name))

    def _taken_over(self, locked: LockedWeights, site: Site, reporter: Reporter) -> bool:
        """Verify a folder of the user's and take it as it is; False where there is none that fits.

        Raises:
            BadFileError: It is all that the lock names, and its content is another.
        """
        return self._elsewhere.take_over(locked, partial(self._names, locked, site), reporter)

    def _names(self, locked: LockedWeights, site: Site) -> dict[str, str]:
        refuse_when_offline(site, locked.repository)
        return self._hub(site).content_ids(locked)

    def _give(
        self, locked: LockedWeights, told: Mapping[str, str], site: Site, reporter: Reporter
    ) -> None:
        """Give other tools what was fetched. The caller holds the snapshot's lock."""
        if self._share is None:
            return
        is_main = (locked.repository, locked.revision) in self._heads
        offer = Offer(folder=self._folders.own(locked), locked=locked, told=told, is_main=is_main)
        self._share.give(offer, partial(self._names, locked, site), reporter)

    def _staging(self, final: Path, locked: LockedWeights, reporter: Reporter) -> Staging:
        cache = self._elsewhere.linkable(locked, beside=self._cache)
        return Staging(final, locked, reporter, linked=cache)

    def _fill(self, staging: Staging, site: Site) -> Mapping[str, str]:
        """Fill a partial folder and give it its final name. The caller holds its lock.

        Returns:
            The hub's names for the contents that came, as far as they were told.
        """
        missing = staging.missing()
        told: Mapping[str, str] = {}
        if missing:
            bring = self._source(staging.locked, site)
            with ThreadPoolExecutor(max_workers=WORKERS) as pool:
                tasks = [pool.submit(staging.take, one, bring) for one in missing]
                try:
                    for task in as_completed(tasks):
                        task.result()
                except BaseException:
                    staging.stop()
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
            told = bring.told if isinstance(bring, FromCacheOrHub) else told
        staging.finish()
        return told

    def _source(self, locked: LockedWeights, site: Site) -> Bring:
        if locked.kind == "bundled":
            return partial(copied, self._bundled(locked.repository))

        def hub() -> Bring:
            refuse_when_offline(site, locked.repository)
            return partial(self._hub(site).bring, locked)

        return FromCacheOrHub(locked, self._elsewhere.cache, hub)
