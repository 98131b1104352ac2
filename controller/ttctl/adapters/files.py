# SPDX-License-Identifier: Apache-2.0
"""Write files so that a kill at any moment leaves the old one or the new one."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from shlex import quote

from ttctl.errors import TtctlError

STRAY_PREFIX = ".ttctl-"
"""Temporary names begin with this; a sweep under the stack's lock removes what a kill left."""


def write_atomically(path: Path, text: str, *, mode: int) -> None:
    """Replace `path` by `text`, with exactly `mode` whatever the umask says.

    Raises:
        TtctlError: The file system refused, for example because it is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _made(path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
                Path(temporary).replace(path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except (OSError, UnicodeEncodeError) as exc:
        raise TtctlError(
            f"{str(path)!r} could not be written.",
            why=_reason(exc),
            evidence="What was there before is unchanged.",
            next_step=_look_at(path.parent, exc),
        ) from exc


def _made(folder: Path) -> tuple[int, str]:
    """Return a new temporary file, held until it is closed: `sweep_abandoned` leaves it alone."""
    while True:
        handle, temporary = tempfile.mkstemp(prefix=STRAY_PREFIX, dir=folder)
        # A file system without locks has no sweep either.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, temporary
        # A sweep came in between.
        os.close(handle)


def sweep_abandoned(folder: Path) -> None:
    """Remove what killed commands left half written in a folder that several write to at once.

    Whoever still writes holds the file. Folders below are not looked at.
    """
    for stray in [*folder.glob(f"{STRAY_PREFIX}*")]:
        with suppress(OSError):
            handle = os.open(stray, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stray.unlink(missing_ok=True)
            finally:
                os.close(handle)


def sweep_strays(folder: Path) -> None:
    """Remove what a killed command left half written; call it under the stack's lock.

    What cannot be removed is left to `ttctl doctor`: it is in nobody's way.
    """
    for stray in [*folder.rglob(f"{STRAY_PREFIX}*")]:
        if stray.is_dir() and not stray.is_symlink():
            shutil.rmtree(stray, ignore_errors=True)
            continue
        with suppress(OSError):
            stray.unlink(missing_ok=True)


def make_private(folder: Path) -> None:
    """Make `folder` where it is missing, for the user alone."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as exc:
        raise TtctlError(
            f"The folder {str(folder)!r} could not be made.",
            why=_reason(exc),
            evidence="ttctl keeps its state there; XDG_STATE_HOME and XDG_CACHE_HOME name another.",
            next_step=_look_at(folder.parent, exc),
        ) from exc


def nearest_folder(path: Path) -> Path:
    """Return the nearest folder above `path`, or itself, that is there and can be looked at."""
    for one in (path.absolute(), *path.absolute().parents):
        with suppress(OSError):
            if one.is_dir():
                return one
    return Path("/")


def _look_at(folder: Path, exc: OSError | UnicodeEncodeError) -> str:
    full = isinstance(exc, OSError) and exc.errno in {errno.ENOSPC, errno.EDQUOT}
    return f"{'df -h' if full else 'ls -ld'} {quote(str(nearest_folder(folder)))}"


def _reason(exc: OSError | UnicodeEncodeError) -> str:
    return getattr(exc, "strerror", None) or str(exc)
