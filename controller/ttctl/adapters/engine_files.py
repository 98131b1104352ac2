# SPDX-License-Identifier: Apache-2.0
"""The folders that engines' containers write, and the key of an engine that wants one.

A container writes as its own user, which this user need not be. So its folders let everybody write,
and the folder above them lets nobody else in: the container reaches them through its mount alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import make_private, write_atomically
from ttctl.adapters.key_ring import secrets_in
from ttctl.errors import PrivilegeError, TtctlError
from ttctl.model.engine_files import EngineCache
from ttctl.rules.cache_rights import Folder, group_writes, user_writes
from ttctl.rules.launch_values import ENGINE_KEY, ENGINE_MAP, engine_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

KEY_BYTES = 32
OPEN = 0o777
DEPTH = 3
"""How many levels of a cache are looked at for somebody else's folders before a start."""


class LocalEngineFiles:
    """Below the user's cache folder, and in the stacks' own folders."""

    def __init__(
        self, root: Path, *, home: Callable[[str], Path], secrets: Callable[[str], Path]
    ) -> None:
        """Remember where things lie.

        Args:
            root: The folder of all caches.
            home: A stack's own folder.
            secrets: The folder that a stack's gateway mounts.
        """
        self._root, self._home, self._gateway = root, home, secrets

    def cache(self, name: str) -> Path:
        """Return where a cache lies, whether it is there or not."""
        return self._root / name

    def prepare(self, name: str, folders: Sequence[str], *, user: int | None) -> None:
        """Make a cache's folders so that the container's user can write there.

        Args:
            name: Of the cache.
            folders: What is to be there, `.` for the cache itself.
            user: The server's number; None where it joins the group of the cache's top folder.

        Raises:
            PrivilegeError: Somebody else's files are in the way.
            TtctlError: The file system refuses.
        """
        make_private(self._root)
        cache = self.cache(name)
        for folder in folders:
            self._make(cache, cache / folder)
        _check_owners(cache, user)

    def caches(self, name: str = "") -> tuple[EngineCache, ...]:
        """Return every cache with its size, or only the one of that name where it is there."""
        if not self._root.is_dir():
            return ()
        found = [self.cache(name)] if name else sorted(self._root.iterdir())
        return tuple(_measured(path) for path in found if path.is_dir())

    def ensure_key(self, stack: str) -> None:
        """Make the engine's key where it is missing, for the engine and for the gateway.

        Raises:
            PrivilegeError: Others of this host could read it.
        """
        secrets_in(self._home(stack))
        folder = self.secrets(stack)
        path = folder / ENGINE_KEY
        key = path.read_text(encoding="ascii").strip() if path.is_file() else ""
        if not key:
            key = os.urandom(KEY_BYTES).hex()
            # Readable by the container's user; the folder above is the user's alone.
            write_atomically(path, f"{key}\n", mode=0o444)
            folder.chmod(0o755)
        write_atomically(self._gateway(stack) / ENGINE_MAP, engine_map(key), mode=0o444)

    def secrets(self, stack: str) -> Path:
        """Return the folder with the engine's key."""
        return self._home(stack) / "secrets" / "engine"

    def _make(self, cache: Path, folder: Path) -> None:
        missing = [one for one in (folder, *folder.parents) if cache in (one, *one.parents)]
        try:
            for one in reversed(missing):
                if not one.is_dir():
                    one.mkdir()
                    one.chmod(OPEN)
        except PermissionError as exc:
            raise _foreign(cache, str(exc.filename or folder)) from exc
        except OSError as exc:
            raise TtctlError(
                f"The cache {str(folder)!r} cannot be made.",
                why=exc.strerror or "the file system refused",
                evidence=str(exc.filename or folder),
                next_step=f"ls -ld {quote(str(cache.parent))}",
            ) from exc


def _check_owners(cache: Path, user: int | None) -> None:
    """Refuse a folder that the container's user could not write.

    Raises:
        PrivilegeError: There is one.
    """
    if not cache.is_dir():
        return
    top = _folder(cache)
    for path in _folders(cache, DEPTH):
        with suppress(FileNotFoundError):
            found = _folder(path)
            text = f"{path} is of user {found.uid}, group {found.gid}"
            if user is None and not group_writes(found, top):
                evidence = f"{text}; the image shares the cache by group {top.gid}."
                raise _foreign(cache, evidence, group=top.gid)
            if user is not None and not user_writes(found, user):
                raise _foreign(cache, f"{text}; it runs as {user}.")


def _folder(path: Path) -> Folder:
    found = path.stat()
    return Folder(uid=found.st_uid, gid=found.st_gid, mode=found.st_mode & 0o7777)


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    if depth:
        try:
            found = sorted(folder.iterdir())
        except OSError:
            return
        for one in found:
            if one.is_dir() and not one.is_symlink():
                yield from _folders(one, depth - 1)


def _foreign(cache: Path, evidence: str, *, group: int | None = None) -> PrivilegeError:
    path = quote(str(cache))
    by_group = f"sudo chgrp -R {group} {path} && sudo chmod -R g+rwX {path}"
    return PrivilegeError(
        "A cache belongs to another user, and the engine could not write it.",
        why="It was made under sudo, or by an image that runs as another user.",
        evidence=evidence,
        next_step=f"sudo chmod -R o+rwX {path}" if group is None else by_group,
    )


def _measured(cache: Path) -> EngineCache:
    """Return a cache with the size of its files, each once."""
    sizes: dict[str, int] = {}
    seen: set[int] = set()
    for root, _, names in os.walk(cache):
        part = os.path.relpath(root, cache).partition("/")[0]
        for name in names:
            with suppress(OSError):
                found = os.lstat(f"{root}/{name}")
                if found.st_ino not in seen:
                    seen.add(found.st_ino)
                    sizes[part] = sizes.get(part, 0) + found.st_size
    parts = sorted(sizes.items(), key=lambda one: (-one[1], one[0]))
    total = sum(sizes.values())
    return EngineCache(name=cache.name, path=cache, size_bytes=total, parts=tuple(parts))
