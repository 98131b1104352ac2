# SPDX-License-Identifier: Apache-2.0
"""Are ttctl's own folders private, writable and lockable, and what did a kill leave in them?"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.adapters.files import STRAY_PREFIX
from ttctl.model.health import FolderVitals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

OLD_S = 3600
"""A temporary file that is older was left by a kill: writing one takes no such time."""
_FOR_OTHERS = 0o077
_WRITE_FOR_OTHERS = 0o022


def folder_vitals(path: Path, *, private: Sequence[str] = ()) -> FolderVitals:
    """Look at one folder; it is not made where it is missing.

    Args:
        path: A folder of ttctl's own.
        private: Patterns of what in it nobody else may enter.
    """
    existing = next((one for one in (path, *path.parents) if _is_folder(one)), None)
    tried = _try(existing or path)
    exists = existing == path
    found = path.stat() if exists else None
    return FolderVitals(
        path=str(path),
        exists=exists,
        mode=found.st_mode & 0o7777 if found else 0o700,
        is_ours=found.st_uid == os.geteuid() if found else True,
        writable=tried.writable,
        locks=tried.locks,
        reason=tried.reason,
        exposed=tuple(_exposed(path, private)) if exists else (),
        strays=tuple(str(one) for one in strays(path)) if exists else (),
    )


def _is_folder(path: Path) -> bool:
    """Return whether a folder is there; what lies behind a closed one is taken for absent."""
    try:
        return path.is_dir()
    except OSError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    writable: bool
    locks: bool | None = None
    reason: str = ""


def _try(folder: Path) -> _Tried:
    """Write a file without a name, and hold a lock on it twice, which must not succeed."""
    try:
        with tempfile.TemporaryFile(prefix=STRAY_PREFIX, dir=folder) as file:
            file.write(b"x")
            file.flush()
            return _try_lock(file.fileno())
    except OSError as error:
        return _Tried(writable=False, reason=error.strerror or "the file system refused")


def _try_lock(handle: int) -> _Tried:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return _Tried(writable=True, locks=False, reason=error.strerror or "")
    try:
        other = os.open(f"/proc/self/fd/{handle}", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return _Tried(writable=True)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _Tried(writable=True, locks=True)
    except OSError as error:
        return _Tried(writable=True, locks=False, reason=error.strerror or "")
    finally:
        os.close(other)
    return _Tried(writable=True, locks=False)


def _exposed(path: Path, private: Sequence[str]) -> Iterator[str]:
    mode = path.stat().st_mode
    if mode & _WRITE_FOR_OTHERS:
        yield str(path)
    if not mode & _FOR_OTHERS:
        return
    for pattern in private:
        for one in sorted(path.glob(pattern)):
            with suppress(OSError):
                if one.stat().st_mode & _FOR_OTHERS:
                    yield one.relative_to(path).as_posix()


def strays(path: Path) -> Iterator[Path]:
    """Yield temporary files that a killed command left an hour ago or before."""
    before = time.time() - OLD_S
    for one in sorted(path.rglob(f"{STRAY_PREFIX}*")):
        with suppress(OSError):
            if one.is_file() and not one.is_symlink() and one.stat().st_mtime < before:
                yield one
