# SPDX-License-Identifier: Apache-2.0
"""Which versions of a host's programs were validated together? From the catalog's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
from ttctl.model.devices import Golden

if TYPE_CHECKING:
    from pathlib import Path

NAME = "golden.toml"
Version = Annotated[str, Field(pattern=r"^v?\d{1,9}(\.\d{1,9}){0,7}$")]


class _Versions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: Version
    firmware: Version
    smi: Version
    flash: Version
    hugepages: Version
    metal: Version
    installer: Version


class GoldenFile(BaseModel):
    """`golden.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=1024)

    schema_: Literal[1] = Field(alias="schema")
    source: str
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    versions: _Versions


def read_golden(folder: Path) -> Golden:
    """Read the file of the catalog's folder.

    Raises:
        BadFileError: It is missing or damaged.
    """
    found = parse_toml(folder / NAME, GoldenFile)
    return Golden(**found.versions.model_dump(), source=found.source, date=found.date)
