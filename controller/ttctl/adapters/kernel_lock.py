# SPDX-License-Identifier: Apache-2.0
"""One kernel lock a stack. Nothing is written: the kernel knows the holder, and frees a dead one's.

flock(2) rather than the filelock package: the holder is read from /proc/locks, so a refused
command can name it without a file that a kill would leave behind.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import make_private
from ttctl.errors import LockedError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.protocols import Reporter

POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What is said to whom a lock is refused; who holds it is added."""

    message: str
    why: str
    meanwhile: str = ""
    """What takes whoever holds it long; said to whom it keeps waiting."""
    next_step: str = "ttctl ps"


@contextmanager
def held(
    path: Path, *, timeout_s: float, reporter: Reporter, refusal: Refusal | None = None
) -> Iterator[None]:
    """Hold the lock file `path` for the length of the block; without a `refusal`, of a stack.

    Raises:
        LockedError: Another command held it for all of `timeout_s`.
    """
    make_private(path.parent)
    handle = _opened(path)
    refusal = refusal or Refusal(
        message=f"The stack {path.parent.name!r} is locked by another command.",
        why="Two commands that change one stack would undo each other's work.",
    )
    try:
        acquire(handle, refusal, timeout_s=timeout_s, reporter=reporter)
        yield
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise TtctlError(
            f"{str(path)!r} cannot be locked.",
            why=exc.strerror or "the file system refused",
            evidence="Without its lock nothing is changed.",
            next_step=f"ls -ld {path}",
        ) from exc


def acquire(handle: int, refusal: Refusal, *, timeout_s: float, reporter: Reporter) -> None:
    """Lock an open file, or say who holds it.

    Raises:
        LockedError: Somebody held it for all of `timeout_s`.
        TtctlError: The file system has no locks.
    """
    deadline = time.monotonic() + timeout_s
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = holder_of(handle)
            if time.monotonic() >= deadline:
                raise LockedError(
                    refusal.message,
                    why=refusal.why,
                    evidence=f"Held by {holder}; waited {timeout_s:.0f} s.",
                    next_step=refusal.next_step,
                ) from exc
            if not told:
                because = f"; {refusal.meanwhile}" if refusal.meanwhile else ""
                reporter.note(f"waiting up to {timeout_s:.0f} s for {holder}{because}")
                told = True
            time.sleep(POLL_S)
        except OSError as exc:
            raise _without_locks(handle, exc) from exc
        else:
            return


def _without_locks(handle: int, exc: OSError) -> TtctlError:
    """Return the refusal of a file system that has no locks, as some network mounts have none."""
    path = Path(f"/proc/self/fd/{handle}").readlink()
    return TtctlError(
        f"{str(path)!r} cannot be locked.",
        why=f"Its file system has no kernel locks: {exc.strerror or exc}.",
        evidence="Without its lock nothing is changed. XDG_STATE_HOME names a folder on another.",
        next_step=f"df -T {quote(str(path.parent))}",
    )


def holder_of(handle: int) -> str:
    """Return who holds the lock on an open file, as far as the kernel tells.

    Source: proc_locks(5): a line names the lock's process and the file's inode.
    """
    pids = _pids(os.fstat(handle).st_ino)
    return _describe(pids[0]) if pids else "another command"


def holders(path: Path) -> frozenset[int]:
    """Return the processes that hold the lock file `path`; it is only looked at, never taken."""
    try:
        return frozenset(int(pid) for pid in _pids(path.stat().st_ino))
    except (OSError, ValueError):
        return frozenset()


def _pids(inode: int) -> tuple[str, ...]:
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return ()
    rows = (line.split() for line in lines)
    return tuple(
        words[4]
        for words in rows
        if "FLOCK" in words and "->" not in words and words[5].rpartition(":")[2] == str(inode)
    )


def _describe(pid: str) -> str:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        started = Path(f"/proc/{pid}").stat().st_mtime
    except OSError:
        return f"pid {pid}"
    command = " ".join(word.decode(errors="replace") for word in raw.split(b"\0") if word)
    since = time.strftime("%H:%M:%S", time.localtime(started))
    return f"pid {pid} ({command[:120]}), since {since}"
