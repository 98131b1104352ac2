# SPDX-License-Identifier: Apache-2.0
"""What readers of exports know of pins beforehand. Values only.

Apart from `pins`, which every command that lists models loads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.pins import Flag, Inferred, Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstValidated:
    """How an entry was started by the first release that listed its image."""

    image: str
    release: str
    arguments: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFact:
    """What is known of one vLLM pin."""

    commit: str
    """As short as catalogs write it."""
    full: str = ""
    """All 40 hex digits, empty where nobody has read them."""
    date: str = ""
    recipe: Recipe
    flag: Flag
    torch: str = ""
    python: str = ""
    inferred: tuple[Inferred, ...] = ()
    why: str = ""
    """Where recipe and flag were read, or what they were deduced from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CppServer:
    """Which images of the media server hold a C++ server that serves images, and for what."""

    first: str = ""
    """The first release whose image holds it; empty where nothing is known."""
    unsure_from: str = ""
    """From this version up to `first`, trees with it and without it had the same number."""
    models: tuple[str, ...] = ()
    """Last parts of the names of the models that the launcher starts with it."""
    devices: tuple[str, ...] = ()
    """The devices that the launcher has settings for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFacts:
    """What is known of pins beyond what an export says."""

    vllm: tuple[PinFact, ...] = ()
    tt_metal: tuple[str, ...] = ()
    """Full commits."""
    releases: tuple[tuple[str, str], ...] = ()
    """(release, day)."""
    cpp: CppServer = CppServer()
    exports: tuple[tuple[str, str], ...] = ()
    """(release, SHA-256 of the export at its tag)."""
