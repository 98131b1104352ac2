# SPDX-License-Identifier: Apache-2.0
"""Read pins.toml: what is known of pins beyond what an export says."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
from ttctl.model.pin_facts import CppServer, PinFact, PinFacts
from ttctl.model.pins import Flag, Inferred, Recipe  # noqa: TC001 - pydantic reads them

if TYPE_CHECKING:
    from pathlib import Path

FILE = "pins.toml"
Release = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
Full = Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class VllmPin(BaseModel):
    """`[[vllm]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commit: str = Field(pattern=r"^[0-9a-f]{7,40}$")
    full: Full = ""
    date: dt.date | None = None
    base: str = ""
    recipe: Recipe
    flag: Flag
    torch: str = ""
    python: str = ""
    inferred: tuple[Inferred, ...] = ()
    why: str


class CppServerTable(BaseModel):
    """`[cpp_server]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Release
    unsure_from: Release
    models: tuple[str, ...]
    devices: tuple[str, ...]
    why: str
    source: str


class PinsFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal[1] = Field(alias="schema")
    source: str
    date: str = Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")
    tt_metal: tuple[Full, ...]
    releases: dict[str, dt.date]
    cpp_server: CppServerTable
    exports: dict[str, Sha256]
    vllm: tuple[VllmPin, ...]


def read_pin_facts(catalog: Path) -> PinFacts:
    """Read the file in the catalog's folder.

    Raises:
        BadFileError: It is damaged, or a value is not what it must be.
    """
    file = parse_toml(catalog / FILE, PinsFile)
    return PinFacts(
        vllm=tuple(
            PinFact(
                commit=one.commit,
                full=one.full,
                date=one.date.isoformat() if one.date else "",
                recipe=one.recipe,
                flag=one.flag,
                torch=one.torch,
                python=one.python,
                inferred=one.inferred,
                why=one.why,
            )
            for one in file.vllm
        ),
        tt_metal=file.tt_metal,
        releases=tuple((name, day.isoformat()) for name, day in file.releases.items()),
        cpp=CppServer(
            first=file.cpp_server.first,
            unsure_from=file.cpp_server.unsure_from,
            models=file.cpp_server.models,
            devices=file.cpp_server.devices,
        ),
        exports=tuple(file.exports.items()),
    )
