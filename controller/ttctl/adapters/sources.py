# SPDX-License-Identifier: Apache-2.0
"""Read sources.toml: the public hosts that a site may replace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml

if TYPE_CHECKING:
    from pathlib import Path


class BaseEntry(BaseModel):
    """`[base]`: what our images stand on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    distribution: Literal["debian"]
    release: str = Field(pattern=r"^[a-z]{1,32}$")
    image: str = Field(pattern=r"^[a-z0-9.:-]+(/[a-z0-9._-]+)+:[A-Za-z0-9._-]+$")


class CatalogEntry(BaseModel):
    """`[catalog]`: where upstream's exports lie."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(pattern=r"^https://[a-z0-9.-]+/$")
    repository: str = Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    newest: str = Field(pattern=r"^[A-Za-z0-9._/-]+$")
    """The ref whose file is the newest release's."""
    tag: str = Field(pattern=r"^[A-Za-z0-9._/-]*\{release\}$")
    """The ref of one release."""
    file: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    older_file: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    older_below: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    """Releases below this one have `older_file`."""


class Sources(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal[1] = Field(alias="schema")
    base: BaseEntry
    index: dict[str, str]
    catalog: CatalogEntry
    git: dict[str, Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+/$")]] = Field(
        default_factory=dict
    )
    """Name to address of the hosts that the catalog's sources are cloned from."""
    source: dict[
        str, Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)+\.git$")]
    ] = Field(default_factory=dict)
    """Component to the address of its repository."""


def read_sources(catalog: Path) -> Sources:
    """Read the file in the catalog's folder."""
    return parse_toml(catalog / "sources.toml", Sources)
