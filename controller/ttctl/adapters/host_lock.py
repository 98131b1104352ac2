# SPDX-License-Identifier: Apache-2.0
"""One kernel lock for all users of this host, which guards the choice of boards and the start.

The file holds nothing, and whoever comes first makes it: readable and writable for all, in a
folder where everybody may make files and nobody may remove another's. A file of somebody else is
as good as one's own, and a link is refused: it could lead to a file that others must not touch.

It is opened without O_CREAT: for another user's file in such a folder the kernel forbids that.
Source: https://docs.kernel.org/admin-guide/sysctl/fs.html, protected_regular
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.kernel_lock import Refusal, acquire
from ttctl.adapters.tree import rooted
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.protocols import Reporter

FOLDERS = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - the file in it is checked
"""Where the file may lie; the second for systems where the first is root's alone, or missing."""
SHARED = 0o1777
EVERYBODY = 0o666
TRIES = 10
NO_FOLLOW = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
REFUSAL = Refusal(
    message="Another command is choosing boards or resetting them.",
    why="Two commands that choose at once could take the same board.",
    meanwhile="it may be stopping its own engine, or resetting boards, which takes minutes",
)


def lock_name(device_root: Path) -> str:
    """Return the name of the file, the same for every user: one for each tree of devices."""
    root = str(device_root.resolve())
    mark = "" if root == "/" else f"-{hashlib.sha256(root.encode()).hexdigest()[:16]}"
    return f"ttctl-boards{mark}.flock"


@contextmanager
def guarded(
    device_root: Path,
    *,
    timeout_s: float,
    reporter: Reporter,
    folders: Sequence[Path] = (),
) -> Iterator[None]:
    """Hold the host's lock for the length of the block.

    Args:
        device_root: Where /dev is.
        timeout_s: How long another command may hold it.
        reporter: Told when it is waited for.
        folders: Where its file may lie; where none is named, under `device_root` as on a machine,
            and then on this machine itself.

    Raises:
        LockedError: Another command of any user held it for all of `timeout_s`.
        TtctlError: There is no folder for it, or something else lies in its place.
    """
    own = [rooted(device_root, str(folder)) for folder in FOLDERS]
    path = _folder(folders or (*own, *FOLDERS)) / lock_name(device_root)
    handle = _locked(path, timeout_s=timeout_s, reporter=reporter)
    try:
        yield
    finally:
        os.close(handle)


def _folder(folders: Sequence[Path]) -> Path:
    """Return the first folder that all users share; each of them finds the same one."""
    for folder in folders:
        with suppress(OSError):
            mode = folder.lstat().st_mode
            if stat.S_ISDIR(mode) and stat.S_IMODE(mode) & SHARED == SHARED:
                return folder
    raise TtctlError(
        "There is no folder for the lock that all users of this host share.",
        why="Without it two of them could take the same board at once.",
        evidence=f"Looked at: {', '.join(map(str, folders))}; expected mode 1777.",
        next_step=f"ls -ld {' '.join(quote(str(folder)) for folder in folders)}",
    )


def _locked(path: Path, *, timeout_s: float, reporter: Reporter) -> int:
    for _ in range(TRIES):
        handle = _opened(path)
        try:
            acquire(handle, REFUSAL, timeout_s=timeout_s, reporter=reporter)
            if _is_at(path, handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        # Somebody swept the folder while we waited: what we hold guards nothing.
        os.close(handle)
    raise _refused(path, "It is replaced again and again.")


def _opened(path: Path) -> int:
    for _ in range(TRIES):
        try:
            handle = os.open(path, os.O_RDONLY | NO_FOLLOW)
        except FileNotFoundError:
            _make(path)
            continue
        except OSError as exc:
            link = path.is_symlink()
            raise _refused(
                path, "It is a link." if link else f"{exc.strerror}."
            ) from exc  # fmt: skip
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return handle
        os.close(handle)
        raise _refused(path, "It is no file.")
    raise _refused(path, "It is removed again and again.")


def _make(path: Path) -> None:
    """Make the file under another name and link it: it is never seen with fewer rights."""
    own = path.with_name(f".{path.name}-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        handle = os.open(own, os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o600)
        try:
            os.fchmod(handle, EVERYBODY)
            with suppress(FileExistsError):
                os.link(own, path)
        finally:
            os.close(handle)
            own.unlink()
    except OSError as exc:
        raise _refused(path, f"It cannot be made: {exc.strerror}.") from exc


def _is_at(path: Path, handle: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(path.lstat(), os.fstat(handle))
    return False


def _refused(path: Path, why: str) -> TtctlError:
    return TtctlError(
        f"The lock {str(path)!r} cannot be used.",
        why=why,
        evidence="It keeps two users of this host from taking the same board; expected a file "
        "that all may read.",
        next_step=f"ls -l {quote(str(path))}",
    )
