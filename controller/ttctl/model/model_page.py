# SPDX-License-Identifier: Apache-2.0
"""What `models` shows: filters, and all that is known of one entry. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.acceptance import RanOn
    from ttctl.model.engine_files import EngineCache
    from ttctl.model.match import Finding
    from ttctl.model.pins import Changed, KnownBad, Origin
    from ttctl.model.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries are shown. None and empty mean: whatever it is."""

    device: str | None = None
    task: str | None = None
    engine: str | None = None
    status: str | None = None
    type: str | None = None
    experimental: bool = False
    """Only entries that upstream calls EXPERIMENTAL."""
    fits: Callable[[ModelSpec], bool] | None = None
    """Only entries of which it says that this machine has what they need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A model that looks like what was searched for."""

    model: str
    score: float
    """Likeness, 0 to 100."""
    specs: tuple[ModelSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEntry:
    """Another entry of the same model."""

    device: str
    engine: str
    implementation: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPage:
    """All that is known of one entry, and how it stands here."""

    spec: ModelSpec
    catalog: Origin
    family: str
    tasks: tuple[str, ...]
    others: tuple[OtherEntry, ...]
    known_bad: tuple[KnownBad, ...]
    """Reports that are about this entry."""
    image_instead: str = ""
    """The image that serves in place of the entry's."""
    downloaded: bool
    """Whether whole weights of its repository are here."""
    here: tuple[Finding, ...] = ()
    """What it needs, held against this machine."""
    ran: tuple[RanOn, ...] = ()
    """Acceptance runs of it on cards, the newest first; empty: not yet run on a card."""
    caches: tuple[EngineCache, ...] = ()
    """What engines of every version left here for the next start of the model."""
    delta: tuple[Changed, ...] = ()
    """Under `--delta`: first validated values beside the latest."""
    raw: str = ""
    """Under `--raw`: the entry as its source has it, JSON."""
