# SPDX-License-Identifier: Apache-2.0
"""What a diagnostic archive is made of, and what is asked of the place. Values and Protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """What must not leave this machine."""

    secrets: tuple[str, ...] = ()
    """Keys, tokens, passwords: none of them is in an archive, as it is or in another writing."""
    names: tuple[tuple[str, str], ...] = ()
    """(who or where this is, what stands in its place): the home folder, the user, the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of an archive, cleaned already."""

    name: str
    """Its path in the archive."""
    why: str
    """What it is good for, in one line."""
    text: str
    tail: bool = False
    """Whether its end is what counts, as in a log, where it has to be cut."""
    cut_bytes: int = 0
    """How much of it was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPart:
    """What is said of one file of an archive."""

    name: str
    size_bytes: int
    why: str
    cut_bytes: int = 0
    """How much of it was left out, 0 where it is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPart:
    """A part that could not be had; the others are there."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A diagnostic archive that was written, or would be."""

    file: Path
    written: bool
    size_bytes: int
    """Of the archive as it lies on the disk; 0 where it was not written."""
    stacks: tuple[str, ...]
    parts: tuple[ReportPart, ...]
    failed: tuple[FailedPart, ...]


class ReportPlace(Protocol):
    """What an archive needs of this place beyond what every operation has."""

    def versions(self) -> dict[str, str]:
        """Return what runs here and in which version: ttctl, Python, the kernel."""

    def settings(self) -> object:
        """Return every setting that somebody made, with where it was found.

        Raises:
            TtctlError: A file of settings is wrong.
        """

    def private(self) -> Private:
        """Return what must not leave this machine; what cannot be read is left out."""

    def check(self, file: Path, *, force: bool) -> None:
        """Refuse a name that an archive cannot be written under.

        Raises:
            UsageError: Something is there already, or the folder is not.
        """

    def write(self, file: Path, pieces: Sequence[Piece], *, force: bool) -> int:
        """Write the archive whole or not at all; return its size.

        Raises:
            UsageError: Something is there by now.
            TtctlError: The file system refused.
        """
