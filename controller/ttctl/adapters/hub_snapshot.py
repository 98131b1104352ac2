# SPDX-License-Identifier: Apache-2.0
"""What does the hub's word on a revision lock: which commit, and which files with which hash?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.adapters.manifest import safe_path
from ttctl.adapters.needed_files import needed
from ttctl.errors import BadFileError
from ttctl.model.lock import LockedFile, LockedWeights

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo
    from huggingface_hub.hf_api import RepoSibling

    from ttctl.model.spec import Weights

_COMMIT = re.compile(r"[0-9a-f]{40}")


def locked_by(weights: Weights, info: ModelInfo) -> LockedWeights:
    """Return the commit that the hub means, and the files of it that serving needs.

    Raises:
        ValueError: This is not what a hub answers: no commit, another one, or a file of no size.
        BadFileError: Nothing in the repository can be served.
    """
    commit, asked = info.sha or "", weights.revision
    if not _COMMIT.fullmatch(commit) or (_COMMIT.fullmatch(asked) and commit != asked):
        raise ValueError(commit)
    siblings = {one.rfilename: one for one in info.siblings or ()}
    paths = sorted(needed(siblings, original=weights.original))
    if not paths:
        raise _nothing_served(weights, sorted(siblings))
    return LockedWeights(
        kind="hub",
        repository=weights.repository,
        revision=commit,
        files=tuple(_file(siblings[path]) for path in paths),
    )


def content_names(info: ModelInfo) -> dict[str, str]:
    """Return the hub's own names for the contents, by path: a SHA-256, a blob id, or nothing."""
    return {
        one.rfilename: (one.lfs.sha256 if one.lfs else one.blob_id) or ""
        for one in info.siblings or ()
    }


def _file(one: RepoSibling) -> LockedFile:
    size_bytes = one.lfs.size if one.lfs else one.size
    if size_bytes is None:
        raise ValueError(one.rfilename)
    digest = one.lfs.sha256 if one.lfs else ""
    return LockedFile(path=safe_path(one.rfilename), size_bytes=size_bytes, sha256=digest)


def _nothing_served(weights: Weights, names: list[str]) -> BadFileError:
    return BadFileError(
        f"Nothing in {weights.repository!r} can be served.",
        why="The image reads Meta's own files, in the folder `original`."
        if weights.original
        else "Weights are served from safetensors or PyTorch files.",
        evidence=f"It holds: {', '.join(names[:8])}.",
        next_step="ttctl models ls",
    )
