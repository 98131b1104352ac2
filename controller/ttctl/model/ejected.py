# SPDX-License-Identifier: Apache-2.0
"""A service of ours that a user took out to edit. Values and Protocols only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SERVICE_FILE = "ttctl-service.toml"
"""What says that a folder holds an ejected service, and which."""
SOURCES = "src"
"""The folder below it that the user edits."""
NONE = "none"
"""The word of `--from` that takes back what a lock remembers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejected:
    """What is built of such a folder."""

    service: str
    """Name of the container whose image it takes the place of."""
    folder: str
    """Where it lies, absolute."""
    image: str
    """The product's image that it was made for."""
    sources_sha256: str
    """Of the product's own sources when it was ejected."""
    dockerfile: str
    files: tuple[tuple[str, str, bool], ...]
    """(path in the context, text, executable) of everything under `src`."""


class Ejections(Protocol):
    """Reads and writes folders of ejected services."""

    def read(self, folder: str, *, next_step: str) -> Ejected:
        """Read a folder.

        Raises:
            UsageError: It holds no ejected service; `next_step` is what to type then.
            BadFileError: Something in it is not what it must be.
        """

    def check(self, folder: Path, *, force: bool) -> None:
        """Refuse to write to a folder that holds something else than an ejected service.

        Raises:
            UsageError: It does; or it holds one, and `force` is not said.
        """

    def write(self, folder: Path, files: Mapping[str, tuple[str, bool]]) -> Path | None:
        """Write a folder, whole or not at all: path to (text, executable).

        Returns where that was moved which was there before; None where nothing was.
        """
