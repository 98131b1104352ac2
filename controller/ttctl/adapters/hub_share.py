# SPDX-License-Identifier: Apache-2.0
"""Do other tools find what ttctl fetched? Its files get a second name in the hub's own cache.

The layout is the hub's: `blobs/ETAG` holds a content, `snapshots/COMMIT/PATH` is a link to it, and
`refs/main` names a commit. No content is copied, what is there already is never changed, and no
link is followed out of the cache.

Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache and huggingface_hub 2.4.0,
file_download.py (_hf_hub_download_to_cache_dir) for the names and the locks.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.adapters.hub_cache import nearest
from ttctl.adapters.weights_elsewhere import shown
from ttctl.adapters.weights_folders import COMMIT
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ttctl.model.lock import LockedWeights
    from ttctl.model.protocols import Reporter

LOCK_WAIT_S = 2.0
"""How long a tool that holds a file's lock is waited for: it is fetching that file itself."""
STALE_S = 3600.0
"""To link a snapshot takes moments: what was begun longer ago was left by a kill."""
_PREFIX = ".ttctl-"
_SHA256_DIGITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A snapshot of ttctl's that is whole and verified."""

    folder: Path
    locked: LockedWeights
    told: Mapping[str, str]
    """The hub's names for the contents that came now, by path."""
    is_main: bool
    """Whether the hub said just now that its branch `main` is this commit."""


class HubShare:
    """The hub's cache as ttctl gives to it."""

    def __init__(self, root: Path, *, wanted: bool | None, named: bool) -> None:
        """Nothing is looked at yet.

        Args:
            root: The cache's folder, such as `~/.cache/huggingface/hub`.
            wanted: What the setting `weights.share` says; None where it says nothing.
            named: Whether the user's environment names the cache, so that it may be made.
        """
        self._root = root
        self._wanted = wanted
        self._named = named

    def give(
        self, offer: Offer, names: Callable[[], Mapping[str, str]], reporter: Reporter
    ) -> None:
        """Give a snapshot's files a name in the cache; where that cannot be, say so and go on.

        Args:
            offer: What there is.
            names: Asks the hub for its names for the contents, where nothing here tells them.
            reporter: Gets one note.
        """
        if offer.locked.kind != "hub" or not COMMIT.fullmatch(offer.locked.revision):
            return
        try:
            said = _Given(self._root, offer).all(names) if self._is_on() else None
        except (OSError, TtctlError) as exc:
            why = exc.strerror or exc if isinstance(exc, OSError) else exc.message
            reporter.note(
                f"other tools will fetch {offer.locked.repository} again: it gets no name in "
                f"{shown(self._root)} ({why})"
            )
        else:
            if said is not None:
                reporter.note(f"other tools find it in {shown(self._root)}, too{said}")

    def _is_on(self) -> bool:
        """Return whether a fetch gives: as was set, else where the cache is there or was named."""
        return self._wanted if self._wanted is not None else self._named or self._root.is_dir()


class _Given:
    """One snapshot on its way into the cache."""

    def __init__(self, root: Path, offer: Offer) -> None:
        self._root = root.resolve()
        self._offer = offer
        self._made: list[Path] = []
        self._name = f"models--{offer.locked.repository.replace('/', '--')}"
        self._final = self._root / self._name / "snapshots" / offer.locked.revision

    def all(self, names: Callable[[], Mapping[str, str]]) -> str | None:
        """Give what is not there; return what is to be said of it, None where all was there.

        Raises:
            OSError: The cache does not take it; then none of its snapshots was changed.
            TtctlError: The hub does not say how it names the contents.
        """
        paths = [manifest.safe_path(one.path) for one in self._offer.locked.files]
        missing = [one for one in paths if not os.path.lexists(self._final / one)]
        if not missing:
            return None
        if nearest(self._root).stat().st_dev != self._offer.folder.stat().st_dev:
            raise OSError(errno.EXDEV, "it is on another file system, and nothing is copied")
        etags = self._etags(missing, names)
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            # Before the blobs: the hub's own listing takes a repository without it for damaged.
            self._folder(self._name, "snapshots")
            self._sweep()
            for path, etag in etags.items():
                self._give_blob(path, etag)
            self._give_links(etags)
            return self._give_main() if self._offer.is_main else ""
        finally:
            # Only what is empty goes: nothing of it where the files came.
            for folder in reversed(self._made):
                with suppress(OSError):
                    folder.rmdir()

    def _sweep(self) -> None:
        """Remove what a kill has left beside the snapshots."""
        for one in self._final.parent.parent.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                if time.time() - one.lstat().st_mtime < STALE_S:
                    continue
                if one.is_dir() and not one.is_symlink():
                    shutil.rmtree(one)
                else:
                    one.unlink()

    def _etags(self, paths: list[str], names: Callable[[], Mapping[str, str]]) -> dict[str, str]:
        """Return the hub's name for each content: a SHA-256 for a large file, else git's.

        The hub's listing has hashes of large files only, so that a lock of that listing tells
        which are large; a lock of a manifest has the hashes of all, and tells nothing.
        """
        entries = manifest.read(self._offer.folder)
        sha256 = {one.path: one.sha256 for one in entries.files} if entries else {}
        told = dict(self._offer.told)
        if not all(one.sha256 for one in self._offer.locked.files):
            told = {one.path: one.sha256 for one in self._offer.locked.files}
        elif not all(told.get(path) for path in paths):
            told = dict(names())
        return {
            path: sha256[path]
            if len(told.get(path, "")) == _SHA256_DIGITS
            else manifest.git_blob_id(self._offer.folder / path)
            for path in paths
        }

    def _folder(self, *parts: str) -> Path:
        """Return a folder of the cache, made where it is not there.

        Raises:
            OSError: A link is in its place, and may lead out of the cache.
        """
        folder = self._root
        for part in parts:
            folder /= part
            try:
                folder.mkdir()
                self._made.append(folder)
            except FileExistsError:
                if folder.is_symlink() or not folder.is_dir():
                    raise OSError(errno.ENOTDIR, f"{shown(folder)} is no folder") from None
        return folder

    def _give_blob(self, path: str, etag: str) -> None:
        """Give a content its name, under the lock that the hub's tools take for it."""
        # Loaded only where something is given: the library is slow to load.
        from huggingface_hub.utils import (  # type: ignore[attr-defined]  # noqa: PLC0415
            WeakFileLock,  # public, but not in an __all__
        )

        source = self._offer.folder / path
        blob = self._folder(self._name, "blobs") / etag
        lock = self._folder(".locks", self._name) / f"{etag}.lock"
        try:
            with WeakFileLock(lock, timeout=LOCK_WAIT_S), suppress(FileExistsError):
                os.link(source, blob)
        except TimeoutError as exc:
            raise OSError(errno.EBUSY, "another tool is fetching it just now") from exc
        inside = blob.is_file() and blob.resolve().is_relative_to(self._root)
        if not inside or blob.stat().st_size != source.stat().st_size:
            raise OSError(errno.EEXIST, f"{shown(blob)} is another content")

    def _give_links(self, etags: Mapping[str, str]) -> None:
        """Link the snapshot's files: a new snapshot gets its name when it has all of them."""
        if not os.path.lexists(self._final):
            name = _PREFIX + os.urandom(4).hex()
            begun = self._folder(self._name, name)
            try:
                self._link(etags, self._name, name)
                begun.rename(self._final)
            except FileExistsError:
                pass  # another tool has begun it meanwhile
            except OSError as exc:
                if exc.errno != errno.ENOTEMPTY:
                    raise
            else:
                return
            finally:
                shutil.rmtree(begun, ignore_errors=True)
        self._link(etags, self._name, "snapshots", self._offer.locked.revision)

    def _link(self, etags: Mapping[str, str], *place: str) -> None:
        for path, etag in etags.items():
            *above, name = path.split("/")
            up = "../" * (2 + len(above))  # out of `snapshots/COMMIT`, and of the file's folders
            with suppress(FileExistsError):
                (self._folder(*place, *above) / name).symlink_to(f"{up}blobs/{etag}")

    def _give_main(self) -> str:
        """Name the branch's commit where no name is there; say so where it names another."""
        commit = self._offer.locked.revision
        ref = self._folder(self._name, "refs") / "main"
        draft = self._root / self._name / (_PREFIX + os.urandom(4).hex())
        draft.write_text(commit, encoding="utf-8")
        try:
            os.link(draft, ref)
        except FileExistsError:
            same = ref.is_file() and ref.read_text(encoding="utf-8").strip() == commit
            return "" if same else "; its `main` there stays what it was"
        finally:
            draft.unlink()
        return ""
