# SPDX-License-Identifier: Apache-2.0
"""What a folder of weights must hold, what it was when it was verified, and whether it still is."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ttctl.adapters.files import write_atomically
from ttctl.adapters.needed_files import needed
from ttctl.errors import BadFileError
from ttctl.model.lock import LockedFile, LockedWeights

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ttctl.model.spec import WeightsKind

NAME = "manifest.json"
"""The manifest's file in a folder of weights."""

VERSION = 1
"""Of the manifest's form."""
_KINDS: dict[str, WeightsKind] = {"hub": "hub", "bundled": "bundled", "folder": "folder"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file that was verified, and how the file system described it then."""

    path: str
    size_bytes: int
    sha256: str
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The verified files of one folder; a folder that is still being filled has fewer."""

    kind: WeightsKind
    repository: str
    revision: str
    files: tuple[Entry, ...] = ()

    def locked(self) -> LockedWeights:
        """Return the exact weights that this folder holds."""
        return LockedWeights(
            kind=self.kind,
            repository=self.repository,
            revision=self.revision,
            files=tuple(
                LockedFile(path=one.path, size_bytes=one.size_bytes, sha256=one.sha256)
                for one in self.files
            ),
        )

    def chosen(self, *, original: bool) -> LockedWeights | None:
        """Return the weights of one layout, None where they are not among these files."""
        locked = self.locked()
        paths = needed((one.path for one in locked.files), original=original)
        files = tuple(one for one in locked.files if one.path in paths)
        return replace(locked, files=files) if files else None

    def fulfils(self, locked: LockedWeights) -> bool:
        """Return whether these are the very files of the lock; an empty hash there fits any.

        A folder of a hub's revision may hold the same weights in another layout besides.
        """
        if (self.kind, self.repository, self.revision) != (
            locked.kind, locked.repository, locked.revision,
        ):  # fmt: skip
            return False
        mine = {one.path: one for one in self.files}
        wanted = {one.path for one in locked.files}
        return (
            bool(wanted)
            and (mine.keys() >= wanted if self.kind == "hub" else mine.keys() == wanted)
            and all(fits(mine[one.path], one) for one in locked.files)
        )

    def with_entries(self, entries: Iterable[Entry]) -> Manifest:
        """Return the manifest with these entries in place of all."""
        return replace(self, files=tuple(entries))

    def with_entry(self, entry: Entry) -> Manifest:
        """Return the manifest with one file's entry added or replaced."""
        others = [one for one in self.files if one.path != entry.path]
        return replace(self, files=tuple(sorted([*others, entry], key=lambda one: one.path)))


def empty(locked: LockedWeights) -> Manifest:
    """Return the manifest of a folder in which nothing is verified yet."""
    return Manifest(kind=locked.kind, repository=locked.repository, revision=locked.revision)


def fits(entry: Entry, wanted: LockedFile) -> bool:
    """Return whether a verified file is the one that the lock wants."""
    return entry.size_bytes == wanted.size_bytes and wanted.sha256 in {"", entry.sha256}


def read(folder: Path) -> Manifest | None:
    """Return the folder's manifest, None where it is missing or damaged: then nothing is known."""
    try:
        return parsed(json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def parsed(data: dict[str, Any]) -> Manifest:
    """Return the manifest that JSON holds.

    Raises:
        ValueError: It holds none, of this form.
    """
    if data["version"] != VERSION:
        raise ValueError(data["version"])
    try:
        return Manifest(
            kind=_KINDS[data["kind"]],
            repository=str(data["repository"]),
            revision=str(data["revision"]),
            files=tuple(_entry(one) for one in data["files"]),
        )
    except (TypeError, KeyError, BadFileError) as exc:
        raise ValueError(data) from exc


def write(folder: Path, manifest: Manifest) -> None:
    """Replace the folder's manifest, readable by every user.

    Raises:
        TtctlError: The file system refused.
    """
    text = json.dumps({"version": VERSION, **asdict(manifest)}, indent=2)
    write_atomically(folder / NAME, text + "\n", mode=0o644)


def describe(folder: Path, path: str, sha256: str) -> Entry:
    """Return the entry of a file that was found to have this hash."""
    seen = (folder / path).stat()
    return Entry(
        path=path,
        size_bytes=seen.st_size,
        sha256=sha256,
        mtime_ns=seen.st_mtime_ns,
        inode=seen.st_ino,
    )


def recheck(folder: Path, entry: Entry) -> Entry | None:
    """Return the entry as the file is now, None where its content is no longer what it was.

    The file is read only where its size, time or inode changed since it was verified.
    """
    try:
        now = describe(folder, entry.path, entry.sha256)
        if now == entry:
            return entry
        if now.size_bytes != entry.size_bytes or sha256_of(folder / entry.path) != entry.sha256:
            return None
    except OSError:
        return None
    return now


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob_id(path: Path) -> str:
    """Return the name that git gives to a file's content.

    Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects ("Object Storage").
    """
    with path.open("rb") as file:
        header = b"blob %d\0" % os.fstat(file.fileno()).st_size
        begun = hashlib.sha1(header, usedforsecurity=False)
        return hashlib.file_digest(file, lambda: begun).hexdigest()


def digest(locked: LockedWeights) -> str:
    """Return 16 hex digits that follow from the paths, sizes and hashes."""
    lines = sorted(f"{one.sha256} {one.size_bytes} {one.path}\n" for one in locked.files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def safe_path(path: str) -> str:
    """Return a relative path that stays inside its folder.

    Raises:
        BadFileError: It leads out of the folder, or is spelled so that two spellings name one file.
    """
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or str(pure) != path or "\0" in path:
        raise BadFileError(
            f"The path {path!r} is refused.",
            why="A file of the weights must lie inside their folder.",
            evidence="Expected a relative path such as 'tokenizer.json'.",
            next_step="ttctl models ls   # then lock yours anew, with --upgrade",
        )
    return path


def _entry(data: dict[str, object]) -> Entry:
    sha256, numbers = data["sha256"], [data[key] for key in ("size_bytes", "mtime_ns", "inode")]
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(sha256)
    size, mtime, inode = (one for one in numbers if isinstance(one, int))
    return Entry(
        path=safe_path(str(data["path"])), size_bytes=size, sha256=sha256, mtime_ns=mtime,
        inode=inode,
    )  # fmt: skip
