# SPDX-License-Identifier: Apache-2.0
"""What is in the cache that the hub's own tools share? Looked at, never written to.

A repository is a folder `models--OWNER--NAME`: `refs/main` names a commit, `snapshots/COMMIT` holds
links, and each link leads to a file in `blobs` whose name is the hub's own for the content: a
SHA-256 for a large file, git's name for a small one. So the cache proves what it holds.

Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.adapters.needed_files import needed
from ttctl.errors import BadFileError
from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_INDEX = ".index.json"
_SHARD = re.compile(r"(.*-)(\d{5})-of-(\d{5})(\..*)")
MOST_SHARDS = 1000
"""No repository has more; a name that says so is nobody's."""
_WEIGHED = re.compile(r"(unet|transformer|vae|text_encoder|image_encoder|safety_checker)(_\d)?")
"""Parts of a pipeline that have weights."""
_DESCRIBED = frozenset({"config.json", "model_index.json", "original/params.json", "params.json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file that another tool keeps."""

    path: Path
    """Where its content is: no link."""
    content_id: str
    """The hub's name for the content; empty where nothing here tells it."""


class HubCache:
    """One cache folder of the hub's tools, such as `~/.cache/huggingface/hub`."""

    def __init__(self, root: Path) -> None:
        """Nothing is looked at yet."""
        self.root = root

    def copy(self, locked: LockedWeights, file: LockedFile) -> Copy | None:
        """Return a file of a commit where it is here in its full length, None where it is not."""
        if locked.kind != "hub" or not _COMMIT.fullmatch(locked.revision):
            return None
        found = copy_in(self._snapshot(locked.repository, locked.revision), file.path)
        if found is None or found.path.stat().st_size != file.size_bytes:
            return None
        return found

    def locked(self, weights: Weights) -> LockedWeights | None:
        """Return the weights that are here of a commit or of the branch `main`, None if not whole.

        The hub is not asked: whether it has further files than these cannot be told.
        """
        commit = weights.revision
        if commit in {"", "main"}:
            commit = self._branch(weights.repository)
        if not _COMMIT.fullmatch(commit):
            return None
        folder = self._snapshot(weights.repository, commit)
        paths = needed(_paths(folder), original=weights.original)
        if not is_whole(folder, paths):
            return None
        return LockedWeights(
            kind="hub",
            repository=weights.repository,
            revision=commit,
            files=tuple(_file(folder, one) for one in sorted(paths)),
        )

    def snapshots(self) -> Iterator[tuple[LockedWeights, Path]]:
        """Return every whole snapshot with its folder."""
        for folder in sorted(self.root.glob("models--*/snapshots/*")):
            repository = folder.parent.parent.name.removeprefix("models--").replace("--", "/")
            weights = Weights(kind="hub", repository=repository, revision=folder.name)
            if locked := self.locked(weights):
                yield locked, folder

    def _snapshot(self, repository: str, commit: str) -> Path:
        return self._home(repository) / "snapshots" / commit

    def _home(self, repository: str) -> Path:
        return self.root / f"models--{repository.replace('/', '--')}"

    def _branch(self, repository: str) -> str:
        try:
            return (self._home(repository) / "refs" / "main").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return ""


def is_whole(folder: Path, paths: Iterable[str]) -> bool:
    """Return whether a folder holds all that its own files name: every part that an index lists."""
    here = frozenset(paths)
    if not here & _DESCRIBED:
        return False
    for index in (one for one in here if one.endswith(_INDEX)):
        beside = index.rpartition("/")[0]
        try:
            listed = json.loads((folder / index).read_text(encoding="utf-8"))
            parts = set(listed["weight_map"].values())
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return False
        if not {f"{beside}/{one}" if beside else one for one in parts} <= here:
            return False
    for found in filter(None, map(_SHARD.fullmatch, here)):
        begin, digits, end = found[1], len(found[2]), found[4]
        count = int(found[3])
        shards = {f"{begin}{n:0{digits}}-of-{found[3]}{end}" for n in range(1, count + 1)}
        if count > MOST_SHARDS or not shards <= here:
            return False
    return _has_components(folder, here)


def can_link(path: Path, beside: Path) -> bool:
    """Return whether a file can get a second name in the folder `beside`, for every user to read.

    The kernel lets nobody link a file of another user that he cannot write.

    Source: https://docs.kernel.org/admin-guide/sysctl/fs.html (protected_hardlinks)
    """
    try:
        seen = path.stat()
    except OSError:
        return False
    mine = seen.st_uid == os.geteuid() or os.access(path, os.R_OK | os.W_OK)
    return mine and seen.st_dev == beside.stat().st_dev and bool(seen.st_mode & stat.S_IROTH)


def nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def paths_in(folder: Path) -> Iterator[str]:
    """Return the relative path of each file that is really there, hidden ones left out."""
    for one in sorted(folder.rglob("*")):
        path = one.relative_to(folder)
        if not any(part.startswith(".") for part in path.parts) and one.is_file():
            yield path.as_posix()


def _paths(folder: Path) -> tuple[str, ...]:
    return tuple(one for one in paths_in(folder) if copy_in(folder, one) is not None)


def copy_in(folder: Path, path: str) -> Copy | None:
    """Return a file of a snapshot with its name in `blobs`, None where it leads to nothing."""
    link = folder / manifest.safe_path(path)
    try:
        content = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    # A link that leads out of its repository was made by nobody's tool.
    if not content.is_file() or not content.is_relative_to(folder.parent.parent.resolve()):
        return None
    name = content.name if content.parent.name == "blobs" else ""
    return Copy(path=content, content_id=name if _CONTENT_ID.fullmatch(name) else "")


def _file(folder: Path, path: str) -> LockedFile:
    found = copy_in(folder, path)
    if found is None:
        raise BadFileError(f"{str(folder / path)!r} is gone.", why="Another tool removed it.")
    sha256 = found.content_id if _SHA256.fullmatch(found.content_id) else ""
    return LockedFile(path=path, size_bytes=found.path.stat().st_size, sha256=sha256)


def _has_components(folder: Path, here: frozenset[str]) -> bool:
    """Return whether a pipeline's folder has each part that its `model_index.json` names."""
    if "model_index.json" not in here:
        return True
    try:
        named = json.loads((folder / "model_index.json").read_text(encoding="utf-8")).items()
    except (OSError, ValueError, AttributeError):
        return False
    parts = [
        name
        for name, value in named
        if not name.startswith("_") and isinstance(value, list) and value and value[0]
    ]
    weights = {one.partition("/")[0] for one in here if one.endswith((".safetensors", ".bin"))}
    folders = {one.partition("/")[0] for one in here if "/" in one}
    return all(part in (weights if _WEIGHED.fullmatch(part) else folders) for part in parts)
