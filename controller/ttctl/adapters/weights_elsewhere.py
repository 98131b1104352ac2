# SPDX-License-Identifier: Apache-2.0
"""Which weights do other tools and the user have already: the hub's cache, folders of models?

Both are only read. A file of the hub's cache gets a second name in ours: a snapshot there is made
of links that lead out of the folder, and a container that mounts the folder could not follow them.
A folder of the user's is mounted itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.hub_cache import can_link, nearest
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.weights import Supply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ttctl.adapters.hub_cache import HubCache
    from ttctl.adapters.model_folders import ModelFolders
    from ttctl.model.lock import LockedFile, LockedWeights
    from ttctl.model.protocols import Reporter
    from ttctl.model.spec import Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Both places, each of them optional."""

    cache: HubCache | None = None
    folders: ModelFolders | None = None

    def locked(self, weights: Weights) -> LockedWeights | None:
        """Return whole weights that are there, for a place whose hub does not answer."""
        found = self.cache.locked(weights) if self.cache else None
        if found is None and self.folders:
            found = self.folders.locked(weights)
            fits = found and weights.revision in {"", "main", found.revision}
            found = found if fits else None
        return found

    def verified(self, weights: Weights) -> LockedWeights | None:
        """Return a commit's weights that were read in a folder of the user's and are as then."""
        for known in self.folders.read(weights.repository) if self.folders else ():
            found = known.files.chosen(original=weights.original)
            if known.files.revision == weights.revision and found and self.place(found):
                return found
        return None

    def of_folder(self, weights: Weights) -> LockedWeights:
        """Return what a folder of the user's holds that a lock names.

        Raises:
            BadFileError: It is not there any more.
        """
        found = self.folders.locked(weights) if self.folders else None
        if found is None:
            raise _gone(weights.repository)
        return found

    def place(self, locked: LockedWeights) -> Path | None:
        """Return the folder of the user's that is mounted for these weights, None for none."""
        if self.folders is None or locked.kind == "bundled":
            return None
        return self.folders.place(locked)

    def is_complete(self, place: Path, locked: LockedWeights) -> bool:
        """Return whether such a folder was verified and is as it was then."""
        return self.folders is not None and self.folders.is_complete(place, locked)

    def take_over(
        self, locked: LockedWeights, names: Callable[[], Mapping[str, str]], reporter: Reporter
    ) -> bool:
        """Verify a folder of the user's; False where there is none, or it is not what was meant.

        Raises:
            BadFileError: There is nothing else that the lock could mean.
        """
        while self.folders and (place := self.folders.place(locked)):
            open_ = locked.kind == "hub" and not all(one.sha256 for one in locked.files)
            known = self.folders.verify(
                place, locked, _told(names, reporter) if open_ else {}, reporter
            )
            if not known.wrong:
                if known.unproven:
                    reporter.note(unproven_text(place, known.unproven))
                return True
            reporter.note(f"{shown(place)} is not used: its content is not what the hub names")
        if locked.kind == "folder":
            raise _gone(locked.repository)
        return False

    def linkable(self, locked: LockedWeights, *, beside: Path) -> frozenset[str]:
        """Return the files of the hub's cache that take no room in the folder `beside`."""
        return self._linkable(self._copies(locked, locked.files), beside)

    def mounted(self, place: Path, locked: LockedWeights) -> Supply:
        """Return the supply of weights that a folder of the user's holds."""
        known = self.folders.known(place) if self.folders else None
        return Supply(
            total_bytes=sum(one.size_bytes for one in locked.files),
            fetched_bytes=0,
            place=shown(place),
            mounted=True,
            unproven=known.unproven if known and known.files.fulfils(locked) else (),
        )

    def supply(self, locked: LockedWeights, here: Mapping[str, int], *, beside: Path) -> Supply:
        """Return the supply of weights that are brought into the cache.

        Args:
            locked: What is wanted.
            here: Bytes of each file that are there already.
            beside: Where files are linked to.
        """
        missing = [one for one in locked.files if here.get(one.path, 0) < one.size_bytes]
        names = self._copies(locked, missing)
        found = [one for one in missing if one.path in names]
        linked = self._linkable(names, beside)
        shipped = locked.kind == "bundled"
        return Supply(
            total_bytes=sum(one.size_bytes for one in locked.files),
            fetched_bytes=0
            if shipped
            else sum(
                one.size_bytes - here.get(one.path, 0) for one in missing if one.path not in names
            ),
            copied_bytes=sum(
                one.size_bytes for one in (missing if shipped else found) if one.path not in linked
            ),
            place=shown(self.cache.root) if found and self.cache else "",
        )

    def _copies(self, locked: LockedWeights, files: Iterable[LockedFile]) -> dict[str, Path]:
        """Return where the hub's cache has each of these files that it has."""
        copies = ((one.path, self.cache.copy(locked, one)) for one in files if self.cache)
        return {path: copy.path for path, copy in copies if copy}

    def _linkable(self, copies: Mapping[str, Path], beside: Path) -> frozenset[str]:
        if not copies:
            return frozenset()
        folder = nearest(beside)
        return frozenset(path for path, copy in copies.items() if can_link(copy, folder))


def shown(place: Path) -> str:
    """Return a path as a person writes it."""
    home = Path.home()
    return f"~/{place.relative_to(home)}" if place.is_relative_to(home) else str(place)


def unproven_text(place: Path, paths: tuple[str, ...]) -> str:
    """Say which files are taken on trust."""
    few = ", ".join(paths[:4]) + (" ..." if len(paths) > 4 else "")  # noqa: PLR2004 - of a line
    return f"not provable in {shown(place)}: nobody told the hash of {few}; taken as it is"


def _told(names: Callable[[], Mapping[str, str]], reporter: Reporter) -> Mapping[str, str]:
    try:
        return names()
    except TtctlError as exc:
        reporter.note(f"the hub told no hashes: {exc.message} {exc.why}".strip())
        return {}


def _gone(repository: str) -> BadFileError:
    return BadFileError(
        f"The folder with the weights {repository!r} is not what was locked.",
        why="No hub told what it is, so its own files were locked; they changed or went.",
        evidence="Looked for in --models-dir, its setting site.models_dir, and ~/models.",
        next_step="ttctl models ls --cached   # then lock it anew, with --upgrade",
    )
