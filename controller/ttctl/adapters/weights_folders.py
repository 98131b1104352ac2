# SPDX-License-Identifier: Apache-2.0
"""Where in the cache do weights lie, under which name, and how much of them is there?"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.adapters.staging import PREFIX, SUFFIX
from ttctl.errors import BadFileError, TtctlError

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lock import LockedFile, LockedWeights
    from ttctl.model.spec import Weights

COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


class WeightsFolders:
    """The folders of one cache."""

    def __init__(self, cache: Path) -> None:
        """Nothing is read yet; `cache` holds all weights."""
        self._cache = cache

    def own(self, locked: LockedWeights) -> Path:
        """Return the folder of these weights, whether it is there or not.

        Raises:
            BadFileError: The lock's names do not make a path.
        """
        home = self.home(locked.kind, locked.repository)
        if locked.kind != "hub":
            return home / manifest.digest(locked)
        if not COMMIT.fullmatch(locked.revision):
            raise _bad_name(locked.revision, "a commit of 40 hex digits")
        return home / locked.revision

    def home(self, kind: str, repository: str) -> Path:
        """Return the folder of all revisions of a repository.

        Raises:
            BadFileError: The name does not make a path.
        """
        check_name(repository)
        above = self._cache if kind == "hub" else self._cache / kind
        return above / repository.replace("/", "--")

    def newest(self, weights: Weights) -> LockedWeights | None:
        """Return the newest whole snapshot here, of the given commit where it is one."""
        found = [
            (folder.stat().st_mtime_ns, chosen)
            for folder in self.home(weights.kind, weights.repository).glob("[0-9a-f]*")
            if (known := manifest.read(folder)) is not None
            and known.repository == weights.repository
            and folder.name == known.revision
            and weights.revision in {"", "main", known.revision}
            and (chosen := known.chosen(original=weights.original)) is not None
        ]
        newest = sorted(found, key=lambda one: one[0], reverse=True)
        return next((locked for _, locked in newest if is_whole(self.own(locked), locked)), None)

    def lengths(self, locked: LockedWeights) -> dict[str, int]:
        """Return how many bytes of each file are in a folder of ours, whole or not."""
        own = self.own(locked)
        folders = (own, own.with_name(PREFIX + own.name))
        return {one.path: _length(folders, one) for one in locked.files}


def is_whole(folder: Path, locked: LockedWeights) -> bool:
    """Return whether a folder has every file with its size and hash.

    A file whose size, time and inode are as they were when it was verified is not read again.
    """
    known = manifest.read(folder)
    if known is None or not known.fulfils(locked):
        return False
    rechecked = (manifest.recheck(folder, one) for one in known.files)
    now = known.with_entries(one for one in rechecked if one is not None)
    if len(now.files) == len(known.files) and now != known:
        with suppress(TtctlError):
            manifest.write(folder, now)
    return len(now.files) == len(known.files)


def check_name(repository: str, expected: str = "OWNER/NAME") -> None:
    """Refuse a name that leads out of the folder it becomes.

    Raises:
        BadFileError: It is none that was `expected`.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise _bad_name(repository, expected)


def _length(folders: tuple[Path, ...], file: LockedFile) -> int:
    for folder in folders:
        for path in (folder / file.path, folder / f"{file.path}{SUFFIX}"):
            if path.is_file():
                return min(path.stat().st_size, file.size_bytes)
    return 0


def _bad_name(value: str, expected: str) -> BadFileError:
    return BadFileError(
        f"The name {value!r} of the weights is refused.",
        why="It becomes a folder's name.",
        evidence=f"Expected {expected}.",
        next_step="ttctl models ls   # then lock yours anew, with --upgrade",
    )
