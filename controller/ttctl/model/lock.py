# SPDX-License-Identifier: Apache-2.0
"""Every floating reference made exact. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.pins import OWN

if TYPE_CHECKING:
    from ttctl.model.image import BaseImage
    from ttctl.model.spec import WeightsKind
    from ttctl.model.tls import Tls


ORIGINAL = "original/"
"""The folder of a meta-llama repository with the files that Meta published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A file of the weights."""

    path: str
    size_bytes: int
    sha256: str
    """Empty while unresolved: the hub gives a hash for large files only, and the fetch adds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedWeights:
    """Exactly which weights are served."""

    kind: WeightsKind
    repository: str
    revision: str
    """40 hex digits for a hub repository; empty for others, whose hashes are below."""
    files: tuple[LockedFile, ...]

    @property
    def original(self) -> bool:
        """Whether Meta's own files are among them, which some images read in place of the hub's."""
        return any(one.path.startswith(ORIGINAL) for one in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedImage:
    """An image by the fingerprint of what it is built from, or by its digest where pulled."""

    name: str
    reference: str
    fingerprint: str
    unvalidated: str = ""
    """The checkout that it was built from in place of a pinned commit, `COMPONENT=PATH`."""
    yours: str = ""
    """The folder of a user's own that it was built from, `SERVICE=FOLDER`; empty for ours."""
    user: str = ""
    """Whom a pulled image starts as, by its own configuration; empty where it was not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedEngine:
    """An engine beside the stack's own."""

    service: str
    """Name of its container."""
    requested: str
    model: str
    device: str
    engine: str
    reason: str
    """Why this model and no other."""
    weights: LockedWeights
    image: str = ""
    """Reference of its image, one of the lock's; this and what follows is empty without a card."""
    commits: tuple[tuple[str, str], ...] = ()
    """(component, commit) of what is built from source for it."""
    implementation: str = ""
    """Upstream's `impl_id`, where several serve one model on one device."""
    contract: str = ""
    """How its image is launched."""
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty where it was validated."""
    derived_from: str = ""
    """The entry whose tt-metal a program of ours stands on; empty for a validated pairing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a stack was resolved to; a second `up` reads this and asks nobody."""

    stack: str
    requested: str
    """What the user asked for."""
    model: str
    device: str
    engine: str
    reason: str
    """Why this model and no other."""
    max_model_len: int
    max_num_seqs: int
    block_size: int
    port: int
    base: BaseImage
    images: tuple[LockedImage, ...]
    weights: LockedWeights
    catalog_sha256: str
    engine_args: tuple[tuple[str, str], ...] = ()
    """Flags of the engine that the user named, (name, value); an empty value is a bare flag."""
    commits: tuple[tuple[str, str], ...] = ()
    """(component, 40 hex digits, or `local-` and a hash) of what is built from source."""
    implementation: str = ""
    """Upstream's `impl_id`, where several serve one model on one device."""
    contract: str = OWN
    """How the engine's image is launched."""
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty where it was validated."""
    derived_from: str = ""
    """The entry whose tt-metal a program of ours stands on; empty for a validated pairing."""
    values: str = ""
    """`latest` where the newest release's arguments are taken; empty for those first validated."""
    bind: str = ""
    """Address on which the gateway listens; empty for loopback."""
    tls: Tls = ""
    """Whose certificate its gateway shows; empty where it is not encrypted."""
    image_uid: int = 0
    """User id in an image that ttctl builds for a card; 0 for the usual one."""
    services: tuple[str, ...] = ()
    """Further services of the stack, as they were asked for: `chat`, `api`, `sd=MODEL`."""
    beside: tuple[LockedEngine, ...] = ()
    """The engines among them."""
    files_sha256: str = ""
    """Over every rendered file except the lock itself."""
