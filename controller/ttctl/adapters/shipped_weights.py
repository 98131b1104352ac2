# SPDX-License-Identifier: Apache-2.0
"""The weights that come with ttctl: what are they, and how do they get into the cache?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ttctl.adapters import manifest
from ttctl.errors import BadFileError
from ttctl.model.lock import LockedFile, LockedWeights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def shipped(name: str, root: Path) -> LockedWeights:
    """Return the exact weights of a model that is shipped in the folder `root`.

    Raises:
        BadFileError: There is none.
    """
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


def _files(root: Path) -> Iterator[Path]:
    for one in root.rglob("*"):
        hidden = any(part.startswith((".", "__")) for part in one.relative_to(root).parts)
        if one.is_file() and not hidden:
            yield one


def _measured(root: Path, path: str) -> LockedFile:
    found = root / path
    return LockedFile(path=path, size_bytes=found.stat().st_size, sha256=manifest.sha256_of(found))


def copied(root: Path, file: LockedFile, target: Path, on_bytes: Callable[[int], None]) -> str:
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
