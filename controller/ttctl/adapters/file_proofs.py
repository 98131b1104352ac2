# SPDX-License-Identifier: Apache-2.0
"""What does a file that another tool or the user keeps prove by itself?"""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from ttctl.adapters import manifest

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lock import LockedWeights

SHA256_LENGTH = 64
"""Hex digits; git's names have fewer."""

_CONTENT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ENTER = stat.S_IROTH | stat.S_IXOTH
_COMMIT = re.compile(r"[0-9a-f]{40}")


def has_lengths(folder: Path, locked: LockedWeights) -> bool:
    """Return whether each file is there in its length, no link, and for every user to read."""
    return bool(locked.files) and all(
        is_plain(folder, one.path) and (folder / one.path).stat().st_size == one.size_bytes
        for one in locked.files
    )


def is_plain(folder: Path, path: str) -> bool:
    """Return whether a file can be mounted with its folder: no link on the way, and readable."""
    inside = folder / manifest.safe_path(path)
    try:
        if inside.resolve() != folder.resolve() / path:
            return False
        seen = inside.stat()
        folders = [one for one in (inside, *inside.parents) if one.is_relative_to(folder)][1:]
        if not all(one.stat().st_mode & _ENTER == _ENTER for one in folders):
            return False
    except OSError:
        return False
    return stat.S_ISREG(seen.st_mode) and bool(seen.st_mode & stat.S_IROTH)


def told(folder: Path, path: str) -> tuple[str, str]:
    """Return the commit, and the hub's name for the content, as `hf download --local-dir` noted it.

    Source: huggingface_hub 2.4.0: _local_folder.py, LocalDownloadFileMetadata
    """
    note = folder / ".cache" / "huggingface" / "download" / f"{path}.metadata"
    try:
        commit, content_id, *_ = note.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return "", ""
    content_id = content_id.strip().strip('"')
    return (
        commit.strip() if _COMMIT.fullmatch(commit.strip()) else "",
        content_id if _CONTENT_ID.fullmatch(content_id) else "",
    )


def is_content(path: Path, sha256: str, content_id: str) -> bool:
    """Return whether a file with this hash has the content that the hub names so."""
    if not content_id:
        return True
    if len(content_id) == SHA256_LENGTH:
        return content_id == sha256
    return manifest.git_blob_id(path) == content_id
