# SPDX-License-Identifier: Apache-2.0
"""Which weights are here, are they whole, and how do the others get here?

A folder is filled beside its final place, under a lock of the kernel, and renamed when every file
is verified: what carries the final name is whole. A kill leaves a partial folder, and the next
fetch goes on from there.
"""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ttctl.adapters import manifest
from ttctl.adapters.kernel_lock import held
from ttctl.adapters.staging import Staging, sweep
from ttctl.errors import BadFileError, OfflineError, TtctlError
from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.model.site import is_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site, Sourced
    from ttctl.model.spec import Weights

LOCK_TIMEOUT_S = 12 * 3600.0
"""How long a second fetch of the same weights waits for the first one."""
WORKERS = 8
"""Files that are fetched at the same time. Source: the hub library's own default, `max_workers`."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


class Hub(Protocol):
    """The model hub: `ttctl.adapters.hub.HuggingFace`, loaded by the caller when it is needed."""

    def snapshot(self, weights: Weights) -> LockedWeights:
        """Make a repository and revision exact."""

    def bring(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        """Bring one file; return the hub's own name for its content."""


class LocalWeights:
    """The weights in one cache folder of this user."""

    def __init__(
        self, *, cache: Path, bundled: Callable[[str], Path], hub: Callable[[Site], Hub]
    ) -> None:
        """Keep where things are; nothing is read yet.

        Args:
            cache: Folder that holds all weights, such as `~/.cache/ttctl/weights`.
            bundled: From the name of a model that ttctl ships to the folder of its files.
            hub: Makes the hub's adapter; called only when the hub is asked.
        """
        self._cache = cache
        self._bundled = bundled
        self._hub = hub

    def resolve(self, weights: Weights, site: Site) -> LockedWeights:
        """Make a source exact: revision, files, sizes, hashes.

        A commit that is complete here is taken as it is. A branch is asked for; where the hub
        does not answer, the newest complete snapshot of the repository stands for it.

        Raises:
            OfflineError: The hub does not answer and nothing is cached.
            PrivilegeError: The hub does not let this user read the repository.
            BadFileError: The repository, or the shipped model, is not there.
        """
        if weights.kind == "bundled":
            return self._shipped(weights.repository)
        pinned = _COMMIT.fullmatch(weights.revision) is not None
        if pinned and (cached := self._cached(weights)):
            return cached
        try:
            _refuse_when_offline(site, weights.repository)
            return self._hub(site).snapshot(weights)
        except OfflineError:
            if weights.revision in {"", "main"} and (cached := self._cached(weights)):
                return cached
            raise

    def is_complete(self, locked: LockedWeights) -> bool:
        """Return whether every file is here with its size and hash.

        A file whose size, time and inode are as they were when it was verified is not read again.
        """
        folder = self.path(locked)
        known = manifest.read(folder)
        if known is None or not known.fulfils(locked):
            return False
        rechecked = (manifest.recheck(folder, one) for one in known.files)
        now = known.with_entries(one for one in rechecked if one is not None)
        if len(now.files) == len(known.files) and now != known:
            with suppress(TtctlError):
                manifest.write(folder, now)
        return len(now.files) == len(known.files)

    def fetch(self, locked: LockedWeights, site: Site, reporter: Reporter) -> None:
        """Bring what is missing and verify it; what is not whole never carries the final name.

        Raises:
            OfflineError: The hub does not deliver.
            PrivilegeError: The hub does not let this user read a file.
            BadFileError: A file was fetched twice and is not what the lock says.
            TtctlError: The disk is full or refuses.
        """
        final = self.path(locked)
        lock = final.with_name(f".{final.name}.lock")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            with held(lock, timeout_s=LOCK_TIMEOUT_S, reporter=reporter):
                sweep(self._cache, spare=final)
                if not self.is_complete(locked):
                    self._fill(Staging(final, locked, reporter), site)
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
        if locked.kind == "bundled":
            return self._home(locked.kind, locked.repository) / manifest.digest(locked)
        if not _COMMIT.fullmatch(locked.revision):
            raise _bad_name(locked.revision, "a commit of 40 hex digits")
        return self._home(locked.kind, locked.repository) / locked.revision

    def _home(self, kind: str, repository: str) -> Path:
        if not _REPOSITORY.fullmatch(repository):
            raise _bad_name(repository, "OWNER/NAME")
        if kind == "bundled":
            return self._cache / "bundled" / repository.replace("/", "--")
        return self._cache / repository.replace("/", "--")

    def _cached(self, weights: Weights) -> LockedWeights | None:
        """Return the newest complete snapshot here, of the given commit where it is one."""
        found = [
            (folder.stat().st_mtime_ns, chosen)
            for folder in self._home(weights.kind, weights.repository).glob("[0-9a-f]*")
            if (known := manifest.read(folder)) is not None
            and known.repository == weights.repository
            and folder.name == known.revision
            and weights.revision in {"", "main", known.revision}
            and (chosen := known.chosen(original=weights.original)) is not None
        ]
        newest = sorted(found, key=lambda one: one[0], reverse=True)
        return next((locked for _, locked in newest if self.is_complete(locked)), None)

    def _shipped(self, name: str) -> LockedWeights:
        if not _REPOSITORY.fullmatch(name):
            raise _bad_name(name, "the name of a shipped model")
        root = self._bundled(name)
        paths = sorted(one.relative_to(root).as_posix() for one in _files(root))
        files = tuple(_measured(root, one) for one in paths)
        if not files:
            raise BadFileError(
                f"The model {name!r} is not shipped with this ttctl.",
                why="The catalog names a bundled model whose files are missing.",
                evidence=f"No file in {root}.",
                next_step="ttctl models ls",
            )
        return LockedWeights(kind="bundled", repository=name, revision="", files=files)

    def _fill(self, staging: Staging, site: Site) -> None:
        """Fill a partial folder and give it its final name. The caller holds its lock."""
        missing = staging.missing()
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
        staging.finish()

    def _source(
        self, locked: LockedWeights, site: Site
    ) -> Callable[[LockedFile, Path, Callable[[int], None]], str]:
        if locked.kind == "bundled":
            return partial(_copy, self._bundled(locked.repository))
        _refuse_when_offline(site, locked.repository)
        return partial(self._hub(site).bring, locked)


def _files(root: Path) -> Iterator[Path]:
    for one in root.rglob("*"):
        hidden = any(part.startswith((".", "__")) for part in one.relative_to(root).parts)
        if one.is_file() and not hidden:
            yield one


def _measured(root: Path, path: str) -> LockedFile:
    found = root / path
    return LockedFile(path=path, size_bytes=found.stat().st_size, sha256=manifest.sha256_of(found))


def _copy(root: Path, file: LockedFile, target: Path, on_bytes: Callable[[int], None]) -> str:
    """Copy one shipped file; a damaged one has another size or hash, which the caller finds."""
    source = root / file.path
    if not source.is_file():
        raise BadFileError(
            f"The file {file.path!r} of a shipped model is missing.",
            why="The lock was made by another version of ttctl.",
            evidence=f"Expected {source}.",
            next_step="ttctl models ls   # then lock yours anew, with --upgrade",
        )
    shutil.copyfile(source, target)
    on_bytes(target.stat().st_size)
    return ""


def _refuse_when_offline(site: Site, repository: str) -> None:
    switch = site.offline if site.is_offline else site.hub_offline
    if switch is not None and is_on(switch):
        raise OfflineError(
            f"The weights {repository!r} may not be fetched.",
            why="This place is set to ask no model hub, and they are not complete here.",
            evidence=f"Set in {switch.source}.",
            next_step=_undo(switch, repository),
        )


def _undo(switch: Sourced, repository: str) -> str:
    """Return what lifts the switch that is set: another one would not help."""
    if switch.source.startswith("--"):
        return (
            f"ttctl models pull {repository}   # without {switch.source}, where there is a network"
        )
    if switch.source.isidentifier() and switch.source.isupper():
        return f"unset {switch.source}   # where there is a network"
    return f"ttctl config site   # {switch.source} sets it"


def _bad_name(value: str, expected: str) -> BadFileError:
    return BadFileError(
        f"The name {value!r} of the weights is refused.",
        why="It becomes a folder's name.",
        evidence=f"Expected {expected}.",
        next_step="ttctl models ls   # then lock yours anew, with --upgrade",
    )
