# SPDX-License-Identifier: Apache-2.0
"""Write images into the user's own folders: whole or not at all, and never over another file."""

from __future__ import annotations

import errno
import os
import secrets
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import STRAY_PREFIX
from ttctl.errors import PrivilegeError, TtctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.model.picture import PlaceKind

NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems say that know no second name of a file, such as FAT and some network ones."""


class PictureFiles:
    """The folders of whoever asks."""

    def __init__(self, link: Callable[[Path, Path], None] = os.link) -> None:
        """`link` gives a file a second name, which fails where that is taken."""
        self._link = link

    def kind(self, path: Path) -> PlaceKind:
        """Return what is there."""
        if path.is_dir():
            return "folder"
        if path.is_file():
            return "file"
        return "other" if path.exists() else "none"

    def taken(self, folder: Path) -> frozenset[str]:
        """Return the names in a folder.

        Raises:
            UsageError: There is no such folder.
            PrivilegeError: Nothing can be written into it.
        """
        try:
            names = frozenset(os.listdir(folder))  # noqa: PTH208 - names, not paths
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise UsageError(
                f"There is no folder {str(folder)!r}.",
                why="An image would be written into it.",
                next_step=f"mkdir -p {quote(str(folder))}",
            ) from exc
        except PermissionError as exc:
            raise _not_ours(folder) from exc
        if not os.access(folder, os.W_OK | os.X_OK):
            raise _not_ours(folder)
        return names

    def write(self, path: Path, data: bytes, *, replace: bool) -> bool:
        """Write a whole file or none; return whether the name was free or is replaced.

        Raises:
            TtctlError: The file system refused.
        """
        temporary = path.with_name(f"{STRAY_PREFIX}{secrets.token_hex(8)}")
        try:
            try:
                _fill(temporary, data)
                return self._named(temporary, path, replace=replace)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as exc:
            full = exc.errno in {errno.ENOSPC, errno.EDQUOT}
            raise TtctlError(
                f"{str(path)!r} could not be written.",
                why=exc.strerror or str(exc),
                evidence="The image was drawn, and is lost.",
                next_step=f"{'df -h' if full else 'ls -ld'} {quote(str(path.parent))}",
            ) from exc

    def _named(self, temporary: Path, path: Path, *, replace: bool) -> bool:
        if replace:
            temporary.replace(path)
            return True
        try:
            # A second name is refused where it is taken; a new name would replace what is there.
            self._link(temporary, path)
        except FileExistsError:
            return False
        except OSError as exc:
            if exc.errno not in NO_LINKS:
                raise
            if os.path.lexists(path):
                return False
            temporary.replace(path)
        return True


def _fill(path: Path, data: bytes) -> None:
    # With the rights that the user's own files get, which a temporary file has not.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _not_ours(folder: Path) -> PrivilegeError:
    return PrivilegeError(
        f"Nothing can be written into {str(folder)!r}.",
        why="An image would be.",
        evidence="The user may not.",
        next_step="ttctl image --help   # -o names another place",
    )
