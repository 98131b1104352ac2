# SPDX-License-Identifier: Apache-2.0
"""What operations ask of the outside about boards that are shared. Protocols only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from ttctl.model.lease import Claims, Remembered, Spoiled
    from ttctl.model.protocols import Reporter


class Leases(Protocol):
    """Who has which board of this host, and in which state it was left."""

    def guard(self, *, timeout_s: float, reporter: Reporter) -> AbstractContextManager[None]:
        """Keep every other command of this host from taking boards, for the length of the block.

        Raises:
            LockedError: Another command, of whichever user, holds it for all of `timeout_s`.
        """

    def claims(self) -> Claims:
        """Look at every container and every process; never raises for an engine that is away."""

    def remembered(self) -> Remembered:
        """Return what is kept of boards whose containers are gone.

        Raises:
            BadFileError: The file is damaged.
        """

    def remember(self, found: Sequence[Spoiled]) -> None:
        """Keep which boards were left in disorder."""

    def clear(self, names: Sequence[str]) -> None:
        """Keep that the boards of these names are in order from this moment on."""
