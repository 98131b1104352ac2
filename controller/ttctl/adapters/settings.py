# SPDX-License-Identifier: Apache-2.0
"""Read the site settings that a person made: `TTCTL_*` first, then config.toml."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SITE_KEYS = tuple(field.name for field in fields(Site))
PREFIX = "TTCTL_"


def _known(key: str) -> str:
    if key not in SITE_KEYS:
        near = get_close_matches(key, SITE_KEYS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = f"unknown key {key!r}{hint}"
        raise ValueError(message)
    return key


class ConfigFile(BaseModel):
    """`config.toml`: one table, `[site]`, with the fields of `Site`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: dict[Annotated[str, AfterValidator(_known)], str | bool] = Field(default_factory=dict)


def site_settings(environ: Mapping[str, str], config: Path) -> dict[str, Sourced]:
    """Return what a person set, by field of `Site`; the environment wins over the file.

    Raises:
        BadFileError: The file is damaged, or names a key that there is not.
    """
    settings: dict[str, Sourced] = {}
    if config.exists():
        for key, value in parse_toml(config, ConfigFile).site.items():
            text = {True: "1", False: "0"}.get(value, value) if isinstance(value, bool) else value
            settings[key] = Sourced(value=str(text), source=str(config))
    for key in SITE_KEYS:
        name = PREFIX + key.upper()
        if name in environ:
            settings[key] = Sourced(value=environ[name], source=name)
    return settings
