# SPDX-License-Identifier: Apache-2.0
"""This host's boards as they are shared: the lock, the claims, and what is kept of their state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.adapters.boards_file import BoardsFile
from ttctl.adapters.claims import claims
from ttctl.adapters.host_lock import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ttctl.model.lease import Claims, Remembered, Spoiled
    from ttctl.model.protocols import Reporter


class HostLeases:
    """The boards under one tree of devices."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        root: Path,
        state: Path,
        reporter: Callable[[], Reporter],
    ) -> None:
        """Nothing is looked at yet.

        Args:
            environ: May name the engine.
            root: Where /dev, /proc and /sys are.
            state: ttctl's state folder.
            reporter: Makes what is told while another command writes what is kept.
        """
        self._environ = environ
        self._root = root
        self._file = BoardsFile(state, reporter)

    def guard(self, *, timeout_s: float, reporter: Reporter) -> AbstractContextManager[None]:
        """Hold the lock that all users of this host share."""
        return guarded(self._root, timeout_s=timeout_s, reporter=reporter)

    def claims(self) -> Claims:
        """Look at every container and every process."""
        return claims(self._environ, self._root)

    def remembered(self) -> Remembered:
        """Return what is kept of boards whose containers are gone."""
        return self._file.read()

    def remember(self, found: Sequence[Spoiled]) -> None:
        """Keep which boards were left in disorder."""
        self._file.add(found)

    def clear(self, names: Sequence[str]) -> None:
        """Keep that boards are in order from now on."""
        self._file.clear(names)
