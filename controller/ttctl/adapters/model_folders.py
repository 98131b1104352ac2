# SPDX-License-Identifier: Apache-2.0
"""Which folder of the user's own holds a model, and is it what the lock names?

Looked at and mounted, never written to: what was found out is kept in a cache of ours, by the
folder's path, and holds as long as each file has its size, time and inode.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.adapters.file_proofs import SHA256_LENGTH, has_lengths, is_content, is_plain, told
from ttctl.adapters.files import write_atomically
from ttctl.adapters.hub_cache import is_whole, paths_in
from ttctl.adapters.needed_files import needed
from ttctl.model.lock import LockedFile, LockedWeights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.model.protocols import Reporter
    from ttctl.model.spec import Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What reading a folder has shown."""

    folder: Path
    files: manifest.Manifest
    wrong: bool = False
    """Whether its content was not what the lock named."""
    unproven: tuple[str, ...] = ()
    """Files whose content nothing could be held against."""


class ModelFolders:
    """The folders in which a user keeps models, such as `~/models`."""

    def __init__(self, folders: tuple[Path, ...], *, records: Path) -> None:
        """Nothing is looked at yet.

        Args:
            folders: Each holds models by name: `NAME`, `OWNER--NAME` or `OWNER/NAME`.
            records: Folder of ours for what was found out.
        """
        self._folders = folders
        self._records = records

    def place(self, locked: LockedWeights) -> Path | None:
        """Return the folder that stands for these weights: verified, or of the same lengths."""
        for folder in self._candidates(locked.repository):
            if not has_lengths(folder, locked):
                continue
            known = self.known(folder)
            refused = known is not None and known.wrong and known.files.fulfils(locked)
            if known is None or not refused or not _unchanged(known):
                return folder
        return None

    def is_complete(self, folder: Path, locked: LockedWeights) -> bool:
        """Return whether a folder was verified for these weights and is as it was then.

        A file that was only touched is read once more.
        """
        known = self.known(folder)
        if known is None or known.wrong or not known.files.fulfils(locked):
            return False
        now = tuple(manifest.recheck(folder, one) for one in known.files.files)
        entries = tuple(one for one in now if one is not None)
        if len(entries) == len(now) and entries != known.files.files:
            self._keep(replace(known, files=known.files.with_entries(entries)))
        return len(entries) == len(now)

    def verify(
        self, folder: Path, locked: LockedWeights, ids: Mapping[str, str], reporter: Reporter
    ) -> Known:
        """Read every file, hold it against what is known of it, and remember what was found.

        Args:
            folder: What `place` returned.
            locked: Whose hashes count first.
            ids: The hub's names for the contents, by path, as far as it told them.
            reporter: Gets the bytes that were read.
        """
        entries, unproven, wrong, done = [], [], False, 0
        total = sum(one.size_bytes for one in locked.files)
        for file in locked.files:
            found = manifest.sha256_of(folder / file.path)
            content_id = file.sha256 or ids.get(file.path) or told(folder, file.path)[1]
            if not content_id:
                unproven.append(file.path)
            wrong = wrong or not is_content(folder / file.path, found, content_id)
            # What the lock wants is kept even where it is not what was found: that is the finding.
            entries.append(manifest.describe(folder, file.path, found))
            done += file.size_bytes
            reporter.progress(done, total, "bytes")
        files = manifest.empty(locked).with_entries(
            replace(one, sha256=file.sha256 or one.sha256) if wrong else one
            for one, file in zip(entries, locked.files, strict=True)
        )
        known = Known(folder=folder, files=files, wrong=wrong, unproven=tuple(unproven))
        self._keep(known)
        return known

    def locked(self, weights: Weights) -> LockedWeights | None:
        """Return what a folder holds where no hub tells: its commit, if the hub's tool noted it.

        Else it is a folder of unknown origin, whose files have the hashes that reading shows.
        """
        for folder in self._candidates(weights.repository):
            here = tuple(one for one in paths_in(folder) if is_plain(folder, one))
            paths = sorted(needed(here, original=weights.original))
            if not is_whole(folder, paths):
                continue
            notes = [told(folder, one) for one in paths]
            commits = {commit for commit, _ in notes}
            commit = commits.pop() if len(commits) == 1 else ""
            known = self.known(folder)
            shown = {one.path: one.sha256 for one in known.files.files} if known else {}
            proven = commit if all(content_id for _, content_id in notes) else ""
            files = tuple(
                LockedFile(
                    path=path,
                    size_bytes=(folder / path).stat().st_size,
                    sha256=content_id if len(content_id) == SHA256_LENGTH else "",
                )
                if proven
                else LockedFile(
                    path=path,
                    size_bytes=(folder / path).stat().st_size,
                    sha256=shown.get(path, ""),
                )
                for path, (_, content_id) in zip(paths, notes, strict=True)
            )
            return LockedWeights(
                kind="hub" if proven else "folder",
                repository=weights.repository,
                revision=proven,
                files=files,
            )
        return None

    def likely(self, repository: str) -> Path:
        """Return where a model of this name would be."""
        root = self._folders[0] if self._folders else Path("/nonexistent")
        return root / repository.rpartition("/")[2]

    def models(self) -> Iterator[Path]:
        """Return every folder here that holds weights that can be served."""
        for root in self._folders:
            for folder in _below(root):
                if needed(one for one in paths_in(folder) if is_plain(folder, one)):
                    yield folder

    def read(self, repository: str) -> Iterator[Known]:
        """Return what is known of the folders that hold a repository, wrong ones left out."""
        for folder in self._candidates(repository):
            known = self.known(folder)
            if known and not known.wrong and known.files.repository == repository:
                yield known

    def known(self, folder: Path) -> Known | None:
        """Return what reading this folder has shown, None where it was not read."""
        try:
            data = json.loads(self._record(folder).read_text(encoding="utf-8"))
            files = manifest.parsed(data["files"])
            if data["folder"] != str(folder):
                return None
            return Known(
                folder=folder,
                files=files,
                wrong=bool(data["wrong"]),
                unproven=tuple(map(str, data["unproven"])),
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _candidates(self, repository: str) -> Iterator[Path]:
        owner, _, name = repository.rpartition("/")
        for root in self._folders:
            named = (root / name, root / f"{owner}--{name}", root / owner / name)
            for folder in (root, *named) if root.name == name else named:
                if owner and folder.is_dir():
                    yield folder

    def _record(self, folder: Path) -> Path:
        return self._records / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.json"

    def _keep(self, known: Known) -> None:
        data = {
            "folder": str(known.folder),
            "wrong": known.wrong,
            "unproven": list(known.unproven),
            "files": {"version": manifest.VERSION, **asdict(known.files)},
        }
        write_atomically(self._record(known.folder), json.dumps(data, indent=2) + "\n", mode=0o600)


def _unchanged(known: Known) -> bool:
    return all(
        (known.folder / one.path).exists()
        and manifest.describe(known.folder, one.path, one.sha256) == one
        for one in known.files.files
    )


def _below(root: Path) -> Iterator[Path]:
    """Return the folders that may hold a model: those in `root`, and in the owners' in it."""
    for one in sorted(root.glob("*")):
        if one.is_dir() and not one.name.startswith("."):
            yield one
            if not any(one.glob("*.json")):
                owned = sorted(one.glob("*"))
                yield from (two for two in owned if (two / "config.json").is_file())
