# SPDX-License-Identifier: Apache-2.0
"""What was validated together for one catalog entry, and how it is launched. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Contract = Literal[
    "vllm-legacy", "vllm-current", "media", "media-cpp", "forge", "multihost", "own", "direct", "sd"
]  # fmt: skip
"""How an image is launched."""

Recipe = Literal[
    "vllm-fork",
    "vllm-fork-plugin",
    "vllm-empty-plugin",
    "vllm-standalone-plugin",
    "media",
    "forge",
    "multihost",
    "own",
    "direct",
    "sd",
]
"""How an image is built from source."""

Flag = Literal["", "--override_tt_config", "--plugin_config", "--additional-config"]
"""By which flag vLLM takes the Tenstorrent options; empty where it takes none."""

DERIVED: Mapping[str, str] = MappingProxyType({"direct": "vllm", "sd": "media"})
"""Engines and recipes of ours to the engine of the entries whose tt-metal they stand on.

That tt-metal was validated with the other engine: nobody validated the pairing.
"""

OWN: Contract = "own"
"""The contract of the vLLM images that ttctl builds."""

BUILT = frozenset({OWN, *DERIVED})
"""Contracts of every image that ttctl builds for a card."""

CONTRACTS: tuple[str, ...] = get_args(Contract)
RECIPES: tuple[str, ...] = get_args(Recipe)

Inferred = Literal["contract", "recipe", "flag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The exact versions that were validated together."""

    tt_metal: str
    """Commit, 7 to 40 hex digits, or a tag such as `v0.62.0-rc33`."""
    vllm: str = ""
    """Commit of the vLLM fork, empty where the engine has none."""
    image: str
    """Reference of the prebuilt image."""
    version: str
    """Version that the entry gives; the image's tag may begin with another."""
    contract: Contract
    recipe: Recipe
    flag: Flag
    inferred: tuple[Inferred, ...] = ()
    """What of the three above was deduced and not read in the pinned source."""
    reason: str = ""
    """Why contract and recipe are these."""
    first_release: str = ""
    """Release that first listed the identical image; the arguments are from there.

    Empty where it is not known; the arguments are then those of the catalog.
    """

    @property
    def is_derived(self) -> bool:
        """Whether only tt-metal was validated, with another server than the one that is built."""
        return self.recipe in DERIVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A value that a later release changed for the same image."""

    kind: Literal["argument", "environment"]
    name: str
    first: str
    """As first validated; empty where it was not set."""
    latest: str
    """As the newest release says; empty where it is set no more."""
    option: bool = False
    """Whether it is one of the Tenstorrent options, which `Pins.flag` takes together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What the host must have."""

    what: Literal["firmware", "driver"]
    specifier: str
    """PEP 440, `>=19.2.0`."""
    strict: bool
    """Whether upstream refuses to start without it, or only suggests it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A speed that upstream measures against."""

    task: str
    shape: str
    """`128/128` tokens in and out, or `1024x1024`; empty where the entry gives none."""
    concurrency: int
    tier: str
    """`functional`, `complete` or `target`."""
    ttft_ms: float | None = None
    """Time to the first token, milliseconds."""
    tput_user: float | None = None
    """Tokens (or images) per second for each user."""
    tput: float | None = None
    """Tokens per second for all users together."""
    tolerance: float = 0.0
    """Part of a figure by which it may be missed and still counts as met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A known issue that the entry names."""

    workflow: str
    task: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An entry that is not used, since a value of it could do harm."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBad:
    """Pins that are listed upstream and are known not to work."""

    model: str
    """A repository, or a pattern with `*`."""
    device: str
    engine: str
    reason: str
    source: str
    date: str
    tt_metal: str = ""
    """Only with this pin; empty for every one."""
    firmware: str = ""
    """Only with firmware of this PEP 440 specifier; empty for every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """A device whose entries another device may use."""

    device: str
    instead: str
    engine: str
    reason: str
    source: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOverride:
    """An image that serves in place of the one an entry names."""

    model: str
    engine: str
    image: str
    reason: str
    source: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """Weights that the hub gives only to who accepted their licence, with a token."""

    model: str
    """A repository, or a pattern with `*`."""
    reason: str
    source: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is known of entries beyond what upstream's export says."""

    known_bad: tuple[KnownBad, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()
    images: tuple[ImageOverride, ...] = ()
    gated: tuple[Gated, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a catalog comes from."""

    release: str
    """Upstream's release, `0.20.0`."""
    source: str
    """`built-in`, a path or an address."""
    date: str
    """Day of the release, or of the fetch where the export names none."""
    sha256: str
    """Hash of the export's bytes."""
    age_s: int | None = None
    """Seconds since it was last confirmed; None for the built-in one."""
    note: str = ""
    """Why it is this one and not another: a refresh that failed, a file that was set aside."""
