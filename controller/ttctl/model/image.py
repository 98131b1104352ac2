# SPDX-License-Identifier: Apache-2.0
"""What an image is made from, and what came out. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ttctl.model.house import LOCAL

BaseOrigin = Literal["registry", "bootstrapped", "site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """The image that all of ours stand on."""

    origin: BaseOrigin
    """`registry`: pulled by digest; `bootstrapped`: made from the distribution's packages;
    `site`: named in the site settings."""
    reference: str
    """Local name that `FROM` says; which mirror it came from is no matter of the recipe."""
    source: str = ""
    """Where it comes from: an image reference, or the distribution's release."""
    digest: str = ""
    """`sha256:...` as the registry gave it, empty while unresolved."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """A folder under images/: a Dockerfile template, its parent, the files it copies."""

    name: str
    description: str
    parent: str
    """Another recipe's name, empty for the base image."""
    template: str
    files: tuple[tuple[str, str, bool], ...]
    """(path in the context, text, executable) of what the Dockerfile copies."""
    labels: tuple[tuple[str, str], ...] = ()
    wheelhouse: bool = False
    """Whether the build takes Python wheels from the context's `wheelhouse` folder."""
    index: str = ""
    """Name of a further package index in sources.toml, for what no wheelhouse here holds."""
    values: tuple[str, ...] = ()
    """Names that the template sees beside the parent and the mounts."""
    component: str = ""
    """`tt-metal` or `vllm`: whose source tree the build takes; empty for none."""
    tree: bool = False
    """Whether the Dockerfile only lays out a source tree, whose own Dockerfile makes the image."""
    memory_gb: int = 0
    """Memory that a build takes, 10^9 bytes; 0 where it is little."""
    disk_gb: int = 0
    """Room that a build takes, 10^9 bytes; 0 where it is little."""
    verify: str = ""
    """Text of the script that each build is held against, empty where none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSource:
    """A checkout on this machine that stands in for a pinned commit: nobody validated it."""

    component: str
    """`tt-metal` or `vllm`."""
    path: str
    digest: str
    """SHA-256 over what git sees of it: paths, modes and bytes."""

    @property
    def commit(self) -> str:
        """What stands in place of the commit."""
        return f"{LOCAL}{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """An image that is wanted: its text, its files, and the name that follows from them."""

    name: str
    reference: str
    """`ttctl/NAME:FINGERPRINT`; equal inputs give equal names."""
    fingerprint: str
    """SHA-256 over the rendered Dockerfile, the copied files and the parent's fingerprint."""
    parent: str
    """What `FROM` says."""
    dockerfile: str
    files: tuple[tuple[str, str, bool], ...]
    wheelhouse: bool = False
    index: str = ""
    prebuilt: bool = False
    """Whether the image is pulled and never built (a site's own)."""
    tree: bool = False
    """Whether the Dockerfile lays out a source tree, whose own Dockerfile makes the image."""
    takes_source: bool = False
    """Whether the build binds the context's `source` folder."""
    source: LocalSource | None = None
    """The checkout that is built in place of the pinned commit."""
    unvalidated: tuple[str, ...] = ()
    """Components of it and of its parents that come from a checkout."""
    yours: str = ""
    """`SERVICE=FOLDER` where a user edited it; empty for an image of ours."""
    changed_since: bool = False
    """Whether our own sources are others than when the user got them to edit."""
    reason: str = ""
    """Why it is had this way, empty where its being missing is reason enough."""
    tag: str = ""
    """The name behind the digest that a pulled image has, where one is known."""
    user: str = ""
    """Whom a pulled image starts as; empty where it is not known, and for images of ours."""
    memory_gb: int = 0
    disk_gb: int = 0
    verify: str = ""
    """Text of the script that must pass in the image before it is kept, empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What a build made."""

    reference: str
    seconds: float
    cached: bool
