# SPDX-License-Identifier: Apache-2.0
"""A project's folder: what `init` makes of one, and what it needs of the outside. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.settings import Value

SETTINGS_NAME = "ttctl.toml"
PROJECT_LOCK = "ttctl.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder whose stack needs no name: `up` in it, or below it, finds everything."""

    folder: Path
    stack: str
    model: str
    files: tuple[str, ...]
    """What was written into it, or under `--dry-run` would be."""
    settings: str
    """The text of its `ttctl.toml`."""
    locked: bool
    """Whether its lock was made; under `--dry-run` whether it could be."""
    why_unlocked: str = ""
    """Why it was not; the next `up` makes it."""
    dry_run: bool = False


class ProjectFiles(Protocol):
    """The files of one project's folder."""

    def taken(self) -> tuple[str, ...]:
        """Return those names of a project's files that are there already."""
        ...

    def values(self, text: str) -> dict[str, Value]:
        """Return what a `ttctl.toml` of this text says, by key."""
        ...

    def write(self, name: str, text: str) -> None:
        """Write a new file."""
        ...
