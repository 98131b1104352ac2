# SPDX-License-Identifier: Apache-2.0
"""Pictures that a running service draws: what is asked, by whom, and what came. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.tls import At

Shape = Literal["openai", "media"]
"""How a server wants to be asked: as OpenAI's API, or as Tenstorrent's media server."""

PlaceKind = Literal["none", "file", "folder", "other"]
"""What a path is; `other` is a device, a pipe or a socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for; what is None or empty is the service's own choice."""

    prompt: str = ""
    negative_prompt: str = ""
    """What shall not be seen."""
    images: int = 1
    size: str = ""
    """Width and height in pixels, `512x512`."""
    steps: int | None = None
    seed: int | None = None
    """Of the first image; each further one has the next."""
    guidance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """The same as a server reads it."""

    path: str
    body: tuple[tuple[str, str | int | float | bool], ...]
    images: int
    streams: bool
    """Whether progress and images come as server-sent events; else all at once, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Easel:
    """Where a running stack draws."""

    stack: str
    model: str
    device: str
    at: At
    shape: Shape
    service: str = ""
    """The engine that was named; empty where the gateway finds it by path and model."""
    base: str = ""
    """What stands before the engine's paths where it was named, `/sd`."""

    @property
    def where(self) -> str:
        """Return the stack, and the engine of it where one was named: `all/sd`."""
        return f"{self.stack}/{self.service}" if self.service else self.stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """How far an image is."""

    image: int
    """From 1."""
    done: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image that is whole."""

    image: int
    """From 1."""
    data: bytes
    """The PNG."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    seed: int | None
    """None where the server does not say it."""
    seconds: float
    """Since the request, or since the image before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """An image that was written."""

    path: Path
    seed: int | None
    """None where the server does not say it."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    size_bytes: int
    seconds: float
    """Since the request, or since the image before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What one prompt gave."""

    stack: str
    model: str
    files: tuple[ImageFile, ...]
    seconds: float
    stopped: bool = False
    """Whether the user stopped it: fewer files than images that were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the images of one command are written."""

    folder: Path
    stem: str
    """A name without number and suffix."""
    suffix: str
    exact: bool
    """Whether the user named the file; else any free name like it does."""
    force: bool = False
    """Whether what is there is replaced."""


class Pictures(Protocol):
    """The folders that images are written into."""

    def kind(self, path: Path) -> PlaceKind:
        """Return what is there."""

    def taken(self, folder: Path) -> frozenset[str]:
        """Return the names in a folder.

        Raises:
            UsageError: There is no such folder.
            PrivilegeError: Nothing can be written into it.
        """

    def write(self, path: Path, data: bytes, *, replace: bool) -> bool:
        """Write a whole file or none; return whether the name was free or is replaced.

        Raises:
            TtctlError: The file system refused.
        """
