# SPDX-License-Identifier: Apache-2.0
"""A folder of weights that is being filled: what is whole in it, and when may it have its name?"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
import time
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.errors import BadFileError, InterruptedByUserError, TtctlError
from ttctl.model.weights import SPARE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.model.lock import LockedFile, LockedWeights
    from ttctl.model.protocols import Reporter

PREFIX = ".partial-"
SUFFIX = ".incomplete"
STALE_S = 24 * 3600.0
"""A partial folder that nobody holds and nobody wrote to for this long is removed."""
_REPORT_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Staging:
    """The partial folder of one snapshot. Its owner holds the snapshot's lock."""

    def __init__(
        self,
        final: Path,
        locked: LockedWeights,
        reporter: Reporter,
        *,
        linked: frozenset[str] = frozenset(),
    ) -> None:
        """Open the partial folder, or make it; a damaged snapshot becomes the partial folder.

        `linked` are the files that take no room: they get a second name.

        Raises:
            BadFileError: The lock names no file.
        """
        self.locked = locked
        self._final = final
        self._linked = linked
        self._folder = final.with_name(PREFIX + final.name)
        self._reporter = reporter
        self._mutex = threading.Lock()
        self._stopped = False
        self._done = self._reported = 0
        self._total = sum(one.size_bytes for one in locked.files)
        if not locked.files:
            raise BadFileError(
                f"The lock names no file of {locked.repository!r}.",
                why="An empty folder cannot be served.",
                evidence="Expected the files that were resolved.",
                next_step="ttctl models ls   # then lock yours anew, with --upgrade",
            )
        if final.exists() and not self._folder.exists():
            final.rename(self._folder)
        self._folder.mkdir(exist_ok=True)
        self._known = manifest.read(self._folder) or manifest.empty(locked)

    def missing(self) -> tuple[LockedFile, ...]:
        """Return the files that are not whole yet.

        Raises:
            TtctlError: They do not fit on the disk.
        """
        kept = manifest.empty(self.locked).with_entries(self._others())
        missing: list[LockedFile] = []
        recorded = {one.path: one for one in self._known.files}
        for file in self.locked.files:
            now = self._found(file, recorded.get(manifest.safe_path(file.path)))
            if now is not None and manifest.fits(now, file):
                kept = kept.with_entry(now)
                self._done += now.size_bytes
            else:
                missing.append(file)
        self._known = kept
        manifest.write(self._folder, kept)
        self._check_room(missing)
        return tuple(missing)

    def take(
        self, file: LockedFile, bring: Callable[[LockedFile, Path, Callable[[int], None]], str]
    ) -> None:
        """Bring one file and verify it; a wrong one is brought once more from its first byte.

        Raises:
            BadFileError: It was wrong twice.
        """
        target = self._folder / file.path
        partial = target.with_name(target.name + SUFFIX)
        target.parent.mkdir(parents=True, exist_ok=True)
        found = content_id = ""
        count = _Counter(file, self._count)
        for _ in range(2):
            content_id = bring(file, partial, count)
            found = manifest.sha256_of(partial)
            if partial.stat().st_size == file.size_bytes and _agrees(
                partial, file, found, content_id
            ):
                self._keep(file, partial, target, found)
                return
            count(-partial.stat().st_size)
            partial.unlink()
        raise BadFileError(
            f"The file {file.path!r} of {self.locked.repository!r} is not what the lock says.",
            why="It was fetched twice and its content was wrong both times.",
            evidence=f"SHA-256 {found}, expected {file.sha256 or content_id}.",
            next_step="ttctl models ls   # then lock yours anew, with --upgrade",
        )

    def stop(self) -> None:
        """Make every `take` that is under way end at its next bytes."""
        self._stopped = True

    def finish(self) -> None:
        """Make the folder readable for every user and give it its final name."""
        whole = {one.path for one in self._known.files} | {manifest.NAME}
        for one in list(self._folder.rglob("*")):
            if one.is_dir() and not one.is_symlink():
                one.chmod(0o755)
            elif one.relative_to(self._folder).as_posix() in whole:
                # A file that has another tool's name too keeps what that tool gave it.
                if one.stat().st_nlink == 1:
                    one.chmod(0o644)
            else:
                one.unlink()
        self._folder.chmod(0o755)
        if self._final.exists():
            shutil.rmtree(self._final)
        self._folder.rename(self._final)
        self._reporter.progress(self._done, self._done, "bytes")

    def _others(self) -> tuple[manifest.Entry, ...]:
        """Return what is whole here of the same commit in another layout: it stays."""
        locked, known = self.locked, self._known
        if locked.kind != "hub" or (locked.repository, locked.revision) != (
            known.repository, known.revision,
        ):  # fmt: skip
            return ()
        wanted = {one.path for one in locked.files}
        others = (one for one in known.files if one.path not in wanted)
        rechecked = (manifest.recheck(self._folder, one) for one in others)
        return tuple(one for one in rechecked if one is not None)

    def _found(self, file: LockedFile, entry: manifest.Entry | None) -> manifest.Entry | None:
        """Return a whole file's entry; a kill may have come between its name and its record."""
        if entry is not None:
            return manifest.recheck(self._folder, entry)
        path = self._folder / file.path
        if file.sha256 and path.is_file() and manifest.sha256_of(path) == file.sha256:
            return manifest.describe(self._folder, file.path, file.sha256)
        return None

    def _check_room(self, missing: list[LockedFile]) -> None:
        missing = [one for one in missing if one.path not in self._linked]
        needed = sum(one.size_bytes for one in missing)
        for one in missing:
            partial = self._folder / (one.path + SUFFIX)
            needed -= partial.stat().st_size if partial.exists() else 0
        free = shutil.disk_usage(self._folder).free
        if needed and needed + SPARE_BYTES > free:
            raise TtctlError(
                f"The weights {self.locked.repository!r} do not fit on the disk.",
                why=f"{needed:,} bytes are still to come.",
                evidence=f"{free:,} bytes are free under {self._folder.parent}.",
                next_step=f"df -h {self._folder.parent}",
            )

    def _keep(self, file: LockedFile, partial: Path, target: Path, sha256: str) -> None:
        with partial.open("rb") as content:
            os.fsync(content.fileno())
        partial.replace(target)
        entry = manifest.describe(self._folder, file.path, sha256)
        with self._mutex:
            self._known = self._known.with_entry(entry)
            manifest.write(self._folder, self._known)

    def _count(self, change: int, file: LockedFile, done: int) -> None:
        if self._stopped:
            raise InterruptedByUserError("The fetch was stopped.")
        with self._mutex:
            self._done += change
            if done >= 0:
                self._reporter.progress(done, file.size_bytes, "bytes", part=file.path)
            if abs(self._done - self._reported) >= _REPORT_BYTES or self._done == self._total:
                self._reported = self._done
                self._reporter.progress(self._done, self._total, "bytes")


class _Counter:
    """Counts one file's bytes, and tells them every so often; -1 stands for not now."""

    def __init__(self, file: LockedFile, count: Callable[[int, LockedFile, int], None]) -> None:
        self._file, self._count = file, count
        self._done, self._told = 0, -1

    def __call__(self, change: int) -> None:
        self._done += change
        whole = self._done == self._file.size_bytes
        tells = self._told < 0 or whole or abs(self._done - self._told) >= _REPORT_BYTES
        self._told = self._done if tells else self._told
        self._count(change, self._file, self._done if tells else -1)


def sweep(cache: Path, *, spare: Path, now_s: float | None = None) -> None:
    """Remove the partial folders under `cache` that dead processes left, but that of `spare`."""
    now_s = time.time() if now_s is None else now_s
    for folder in [*cache.glob(f"*/{PREFIX}*"), *cache.glob(f"bundled/*/{PREFIX}*")]:
        name = folder.name.removeprefix(PREFIX)
        if folder.with_name(name) == spare or now_s - _newest_s(folder, now_s) < STALE_S:
            continue
        handle = os.open(folder.with_name(f".{name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)


def _newest_s(folder: Path, now_s: float) -> float:
    """Return when anything in it last changed; what vanishes meanwhile belongs to the living."""
    try:
        return max(one.lstat().st_mtime for one in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return now_s


def _agrees(path: Path, file: LockedFile, found: str, content_id: str) -> bool:
    """Compare with the lock's hash; where it has none, with the hub's own name for the content."""
    if file.sha256:
        return found == file.sha256
    if _SHA256.fullmatch(content_id):
        return found == content_id
    return not content_id or manifest.git_blob_id(path) == content_id
