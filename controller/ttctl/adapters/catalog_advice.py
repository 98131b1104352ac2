# SPDX-License-Identifier: Apache-2.0
"""Check advice.toml and gated.toml: what is known of entries beyond what upstream's export says.

Every change of this file makes compiled catalogs anew: `compiled.key_of` reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
from ttctl.model.device import DeviceName  # noqa: TC001 - pydantic reads it
from ttctl.model.pins import Advice, Fallback, Gated, ImageOverride, KnownBad
from ttctl.model.spec import CatalogEngine  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from pathlib import Path

FILE = "advice.toml"
GATED = "gated.toml"
Pattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9*][A-Za-z0-9._*/-]{0,191}$")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(min_length=1)
    source: str = Field(min_length=1)
    date: str = Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")
    """Day or month in which it was read."""


class KnownBadEntry(_Said):
    """`[[known_bad]]`."""

    model: Pattern
    device: DeviceName
    engine: CatalogEngine
    tt_metal: str = Field(default="", pattern=r"^([0-9a-f]{7,40})?$")
    firmware: str = Field(default="", pattern=r"^([<>=!~]=?[0-9.*]+(,[<>=!~]=?[0-9.*]+)*)?$")


class FallbackEntry(_Said):
    """`[[fallback]]`."""

    device: DeviceName
    instead: DeviceName
    engine: CatalogEngine


class ImageEntry(_Said):
    """`[[image]]`."""

    model: Pattern
    engine: CatalogEngine
    image: str = Field(pattern=r"^[a-z0-9.-]+(/[a-z0-9._-]+)+:[A-Za-z0-9._-]+$")


class GatedEntry(_Said):
    """`[[gated]]`."""

    model: Pattern


class GatedFile(BaseModel):
    """The whole of gated.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal[1] = Field(alias="schema")
    gated: tuple[GatedEntry, ...]


class AdviceFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal[1] = Field(alias="schema")
    known_bad: tuple[KnownBadEntry, ...] = ()
    fallback: tuple[FallbackEntry, ...] = ()
    image: tuple[ImageEntry, ...] = ()


def read_advice(path: Path) -> Advice:
    """Read the file.

    Raises:
        BadFileError: It is damaged, or a value is not what it must be.
    """
    file = parse_toml(path, AdviceFile)
    return Advice(
        known_bad=tuple(KnownBad(**one.model_dump()) for one in file.known_bad),
        fallbacks=tuple(Fallback(**one.model_dump()) for one in file.fallback),
        images=tuple(ImageOverride(**one.model_dump()) for one in file.image),
    )


def read_gated(path: Path) -> tuple[Gated, ...]:
    """Read which weights need a token.

    Raises:
        BadFileError: It is damaged, or a value is not what it must be.
    """
    return tuple(Gated(**one.model_dump()) for one in parse_toml(path, GatedFile).gated)
