# SPDX-License-Identifier: Apache-2.0
"""A project's folder: the files that `init` writes, and the lock that `up` keeps there."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import write_atomically
from ttctl.adapters.settings_reader import check_settings
from ttctl.adapters.store import StateFolder
from ttctl.errors import UsageError
from ttctl.model.project import PROJECT_LOCK, SETTINGS_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.adapters.doing import DoingFile
    from ttctl.model.lock import Lock
    from ttctl.model.settings import Value

READABLE = 0o644


class ProjectFolder:
    """A folder that becomes a project's."""

    def __init__(self, folder: Path, *, home: str) -> None:
        """`home` is the user's home folder, for what settings write as `~`."""
        self._folder = folder
        self._home = home

    def taken(self) -> tuple[str, ...]:
        """Return those names of a project's files that are there already.

        Raises:
            UsageError: It is no folder.
        """
        if self._folder.exists() and not self._folder.is_dir():
            raise UsageError(
                f"{str(self._folder)!r} is not a folder.",
                why="A project is a folder with a ttctl.toml in it.",
                evidence="A file has this name.",
                next_step=f"ls -ld {quote(str(self._folder))}",
            )
        names = (SETTINGS_NAME, PROJECT_LOCK)
        return tuple(name for name in names if os.path.lexists(self._folder / name))

    def values(self, text: str) -> dict[str, Value]:
        """Return what a `ttctl.toml` of this text says, by key.

        Raises:
            BadFileError: It is no settings file.
        """
        path = self._folder / SETTINGS_NAME
        layer = check_settings(text, path, self._home, f"ls -l {quote(str(path))}")
        return {key: found.value for key, found in layer.items() if found.value is not None}

    def write(self, name: str, text: str) -> None:
        """Write a new file, and the folder where it is missing."""
        write_atomically(self._folder / name, text, mode=READABLE)


class ProjectStacks(StateFolder):
    """The stacks, of which the project's own has its lock in the project's folder as well.

    That one wins: it is what people pass on with the folder. What is locked anew is written there,
    too, so that the two are the same as soon as anything was rendered.
    """

    def __init__(
        self,
        root: Path,
        *,
        lock_file: Path,
        stack: Callable[[], str | None],
        doing: DoingFile | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            root: As of every state folder.
            lock_file: The project's lock, whether it is there or not.
            stack: Names the project's stack, None where its settings name no model.
            doing: As of every state folder.
        """
        super().__init__(root, doing)
        self._lock_file = lock_file
        self._stack = stack

    def lock(self, stack: str) -> Lock | None:
        """Read the stack's lock: the project's, where it is of this stack."""
        from ttctl.adapters.lock_file import read_lock  # noqa: PLC0415 - as in StateFolder

        if stack == self._stack():
            found = read_lock(self._lock_file)
            if found is not None and found.stack == stack:
                return found
        return super().lock(stack)

    def write_folder(
        self, folder: Path, files: dict[str, tuple[str, bool]], *, prune: bool
    ) -> None:
        """Make `folder` hold these files; the project's lock goes into its own folder, too."""
        super().write_folder(folder, files, prune=prune)
        name = self._stack()
        if name is None or PROJECT_LOCK not in files or folder != self.folder(name):
            return
        text = files[PROJECT_LOCK][0]
        if not self._lock_file.is_file() or self._lock_file.read_bytes() != text.encode():
            write_atomically(self._lock_file, text, mode=READABLE)
