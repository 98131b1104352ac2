# SPDX-License-Identifier: Apache-2.0
"""Is there room, and are ttctl's own folders as they must be? Pure."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from ttctl.rules.checks import CheckGroup

if TYPE_CHECKING:
    from ttctl.model.health import Check, FolderVitals

_space = CheckGroup("Space")

GB = 1_000_000_000
LOW_BYTES = 2 * GB
"""Room below which logs and a change of an image get into trouble. An estimate."""
LOW_INODES = 50_000
"""The largest image has 37,000 files, counted by `find / -xdev` in it; a build unpacks them once
more in part."""
NAMED_STRAYS = 3
_PRUNE = "docker system df && docker builder prune"


def room_check(name: str, path: str, *, free: int, needed: int, what: str, fix: str) -> Check:
    """Say whether the file system of `path` holds what is still to come."""
    left = f"{free / GB:.1f} GB free"
    if needed and free < needed:
        return _space(
            name,
            "failed",
            f"not enough room for the {what}",
            evidence=f"{path}: {left}, {needed / GB:.1f} GB needed.",
            fix=fix,
        )
    if free < LOW_BYTES:
        return _space(name, "warning", "little room is left", evidence=f"{path}: {left}.", fix=fix)
    wanted = f", {needed / GB:.1f} GB needed" if needed else ", nothing more needed"
    return _space(name, "ok", f"{left}{wanted}")


def inodes_check(path: str, free: int | None) -> Check:
    """Say whether the file system of the images takes as many files as one more of them has."""
    if free is None:
        return _space("images' files", "ok", "the file system has no limit of files")
    if free >= LOW_INODES:
        return _space("images' files", "ok", f"{free:,} more files fit")
    return _space(
        "images' files",
        "failed",
        f"only {free:,} more files fit",
        evidence=f"{path}: {free:,} free inodes, expected {LOW_INODES:,}; "
        "bytes may be free and nothing can be written.",
        fix=_PRUNE,
    )


def state_check(folder: FolderVitals) -> Check:
    """Say whether the state folder is ours, private, writable, and can be locked."""
    path = quote(folder.path)
    if folder.exists and not folder.is_ours:
        return _space(
            "state",
            "failed",
            "the state folder belongs to another user",
            evidence=f"{folder.path}: perhaps made by a command under sudo.",
            fix=f"sudo chown -R $USER {path}",
        )
    if not folder.writable:
        return _space(
            "state",
            "failed",
            "the state folder cannot be written",
            evidence=f"{folder.path}: {folder.reason or 'not writable'}.",
            fix="export XDG_STATE_HOME=$HOME/state   # or another folder that is yours",
        )
    if folder.locks is False:
        return _space(
            "state",
            "failed",
            "the state folder's file system has no working locks",
            evidence=f"{folder.path}: {folder.reason or 'two holders of one lock'}. "
            "Two commands on one stack would undo each other's work.",
            fix="export XDG_STATE_HOME=$HOME/state   # on a file system of this machine",
        )
    if folder.exposed:
        return _space(
            "state",
            "failed",
            "other users can get into the state folder",
            evidence=f"mode {folder.mode:04o}, expected 0700; open: {', '.join(folder.exposed)}.",
            fix=f"chmod 0700 {path}",
            harmless=True,
        )
    return _space(
        "state", "ok", "private, writable, locks work" if folder.exists else "not made yet"
    )


def cache_check(folder: FolderVitals) -> Check:
    """Say whether downloads can be kept."""
    if folder.exists and not folder.is_ours:
        return _space(
            "cache",
            "failed",
            "the cache folder belongs to another user",
            evidence=f"{folder.path}: perhaps made by a command under sudo.",
            fix=f"sudo chown -R $USER {quote(folder.path)}",
        )
    if not folder.writable:
        return _space(
            "cache",
            "failed",
            "the cache folder cannot be written",
            evidence=f"{folder.path}: {folder.reason or 'not writable'}.",
            fix="export XDG_CACHE_HOME=$HOME/cache   # or another folder that is yours",
        )
    return _space("cache", "ok", "writable" if folder.exists else "not made yet")


def strays_check(*folders: FolderVitals) -> Check:
    """Say what killed commands left."""
    strays = [one for folder in folders for one in folder.strays]
    if not strays:
        return _space("left behind", "ok", "no temporary file of a killed command")
    where = " ".join(quote(folder.path) for folder in folders if folder.strays)
    return _space(
        "left behind",
        "warning",
        f"{len(strays)} temporary file{'s' if len(strays) > 1 else ''} of killed commands",
        evidence=", ".join(strays[:NAMED_STRAYS]) + (" ..." if len(strays) > NAMED_STRAYS else ""),
        fix=f"find {where} -name '.ttctl-*' -type f -mmin +60 -delete",
        harmless=True,
    )
