# SPDX-License-Identifier: Apache-2.0
"""What is kept for one user around conversations, and written for the tools that join them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.connect import Tool
    from ttctl.model.talk import Role, Talk


class Talks(Protocol):
    """The conversations that were saved."""

    def names(self) -> tuple[str, ...]:
        """Return their names."""

    def save(self, name: str, talk: Talk) -> Path:
        """Write one; what has this name is replaced."""

    def load(self, name: str) -> Talk:
        """Read one.

        Raises:
            BadFileError: It is damaged.
            UsageError: There is none of this name.
        """


class Inputs(Protocol):
    """What was typed in conversations before."""

    def recent(self) -> tuple[str, ...]:
        """Return it, the oldest first."""

    def add(self, text: str) -> None:
        """Keep one more."""


class Tools(Protocol):
    """Other programs that can talk to a stack, and their own files."""

    def known(self) -> tuple[Tool, ...]:
        """Return those whose settings can be written."""

    def render(self, tool: Tool, values: dict[str, object]) -> str:
        """Return a tool's settings.

        Raises:
            BadFileError: They do not read back as what they are.
        """

    def read(self, path: Path) -> str | None:
        """Return what a file holds, None where there is none."""

    def write(self, path: Path, text: str) -> None:
        """Write a file for the user alone."""


class Shelf(Protocol):
    """All of it; each part is made when it is first asked for."""

    @property
    def talks(self) -> Talks:
        """Saved conversations."""

    @property
    def inputs(self) -> Inputs:
        """Earlier inputs."""

    @property
    def prompts(self) -> Inputs:
        """Earlier prompts for images."""

    @property
    def tools(self) -> Tools:
        """Other programs."""

    def roles(self) -> tuple[Role, ...]:
        """Return the roles: the shipped ones, and the user's own, which win."""
