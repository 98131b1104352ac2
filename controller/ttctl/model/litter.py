# SPDX-License-Identifier: Apache-2.0
"""What nothing has a use for any more: images, caches, files, containers. Values and a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

LitterKind = Literal["image", "cache", "file", "container"]
KINDS: tuple[LitterKind, ...] = ("image", "cache", "file", "container")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnImage:
    """An image that ttctl built, as the engine shows it."""

    reference: str
    image_id: str
    size_bytes: int
    """With layers that other images share."""
    made_at: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayFile:
    """A temporary file that a killed command left an hour ago or before."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Litter:
    """One thing that may go."""

    kind: LitterKind
    name: str
    """An image's reference, a cache's name, a file's path, a container's name."""
    why: str
    size_bytes: int = 0
    """Of an image with layers that stay with others; 0 for a container."""
    stack: str = ""
    """Of a container."""
    target: str = ""
    """What removes it: a container's id, a cache's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One thing that could not be removed."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was found, what of it is gone, and what could not be told or done."""

    found: tuple[Litter, ...]
    removed: tuple[Litter, ...] = ()
    left: tuple[Left, ...] = ()
    minds: tuple[str, ...] = ()
    """Why something was not even looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """What containers use, whoever made them."""

    images: frozenset[str]
    """Ids."""
    folders: frozenset[str]
    """Of this machine, that they mount."""


class Leftovers(Protocol):
    """Looks for what may go, and removes it. What has no label of ours is never shown."""

    def images(self) -> tuple[OwnImage, ...]:
        """Return the images that ttctl built, one for each name of ttctl's that they have."""

    def in_use(self) -> InUse:
        """Return what all containers use, whoever made them."""

    def files(self) -> tuple[StrayFile, ...]:
        """Return temporary files of killed commands in the folders of state and cache."""

    def remove_image(self, reference: str) -> None:
        """Remove an image's name, and the image with its last one; never by force.

        Raises:
            EngineError: The engine refuses.
        """

    def remove_cache(self, folder: Path) -> None:
        """Remove a cache of engines.

        Raises:
            PrivilegeError: Files in it belong to the container's user.
        """
