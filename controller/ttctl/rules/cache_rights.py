# SPDX-License-Identifier: Apache-2.0
"""Can a server write a folder of its cache that somebody else may have made? Pure."""

from __future__ import annotations

from dataclasses import dataclass

SHARED = 0o2775
SERVERS = (15863, 1000)
"""Users that an image's server below 0.11.0 can be; its build decides.

Source: tenstorrent/tt-inference-server:vllm-tt-metal/vllm.tt-metal.src.dev.Dockerfile@v0.9.0, and
scripts/build_docker_images.py
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Whose a folder is, and its permissions."""

    uid: int
    gid: int
    mode: int


def user_writes(folder: Folder, user: int) -> bool:
    """Return whether a server with this number can write a folder."""
    return folder.uid == user or bool(folder.mode & 0o002)


def group_writes(folder: Folder, top: Folder) -> bool:
    """Return whether a server can that shares its cache by the group of the top folder.

    Its entrypoint joins that group as root and does `chmod -R 2775`, unless the top folder has
    those permissions already. It makes nothing another user's, and takes away what all others had.

    Source: tenstorrent/tt-inference-server:docker-entrypoint.sh@v0.10.1
    """
    if folder.uid in SERVERS:
        return True
    if top.mode & 0o7777 != SHARED:
        return folder.gid == top.gid
    by_group = folder.gid == top.gid and bool(folder.mode & 0o020)
    return by_group or bool(folder.mode & 0o002)
