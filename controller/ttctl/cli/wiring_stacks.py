# SPDX-License-Identifier: Apache-2.0
"""Wires what is kept of stacks: their folders, keys, former states, and what the user took out."""
# ruff: noqa: PLC0415 - an adapter is loaded when its part of the world is first asked for

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.cli.wiring_images import WiredImages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ttctl.adapters.doing import DoingFile
    from ttctl.adapters.settings import Settings
    from ttctl.adapters.store import StateFolder
    from ttctl.model.ejected import Ejections
    from ttctl.model.keys import KeyRing
    from ttctl.model.stores import Generations, WantedStacks
    from ttctl.model.tls import Certificates


def no_project() -> None:
    """Name the stack of no project."""


class WiredStacks(WiredImages):
    """The stacks of one user."""

    def __init__(
        self,
        settings: Settings,
        *,
        snapshot: Path | None,
        models_dir: str,
        token_file: str,
        project_stack: Callable[[], str | None],
    ) -> None:
        """Nothing is read or asked yet; `project_stack` names the stack of the folder's project."""
        super().__init__(settings, snapshot=snapshot, models_dir=models_dir, token_file=token_file)
        self._project_stack = project_stack

    @cached_property
    def store(self) -> StateFolder:
        """The stacks' state folders."""
        root = places.state(self._environ) / "stacks"
        if file := self._settings.project_file:
            from ttctl.adapters.project_folder import ProjectStacks
            from ttctl.model.project import PROJECT_LOCK

            lock = file.with_name(PROJECT_LOCK)
            return ProjectStacks(root, lock_file=lock, stack=self._project_stack, doing=self._doing)
        from ttctl.adapters.store import StateFolder

        return StateFolder(root, self._doing)

    @property
    def folders(self) -> StateFolder:
        """The same: it also writes rendered folders."""
        return self.store

    @cached_property
    def wanted(self) -> WantedStacks:
        """Kept in the stacks' folders, a small file each."""
        from ttctl.adapters.wanted import WantedFiles

        return WantedFiles(places.state(self._environ) / "stacks")

    @cached_property
    def generations(self) -> Generations:
        """Kept in the stacks' folders, beside what is rendered."""
        from ttctl.adapters.generations import GenerationFolders

        return GenerationFolders(self.store.home, root=places.state(self._environ) / "stacks")

    @cached_property
    def ejections(self) -> Ejections:
        """Services that a user took out to edit."""
        from ttctl.adapters.ejected_folder import EjectedFolders

        return EjectedFolders()

    @property
    def keys(self) -> StateFolder:
        """The same: it also keeps the keys."""
        return self.store

    @cached_property
    def key_ring(self) -> KeyRing:
        """The same folders, each with its gateway."""
        from ttctl.adapters.key_ring import KeyFolders

        return KeyFolders(self.store.home, self._environ)

    @cached_property
    def certificates(self) -> Certificates:
        """The same folders; OpenSSL is found by the shell's PATH."""
        from ttctl.adapters.certificates import CertificateFolders

        return CertificateFolders(self.store.home, self._environ)

    @cached_property
    def _doing(self) -> DoingFile:
        """What other commands are told of this one while it holds a stack."""
        from ttctl.adapters.doing import DoingFile

        return DoingFile()
