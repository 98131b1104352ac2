# SPDX-License-Identifier: Apache-2.0
"""Where ttctl's own files lie, and where a user's do (XDG base directories)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "ttctl"


def shipped() -> Path:
    """Return the folder that holds images/, compose/ and catalog/: the wheel's, or a checkout's."""
    package = Path(__file__).resolve().parents[1]
    data = package / "data"
    return data if data.is_dir() else package.parents[1]


def catalog() -> Path:
    """Return the folder of the built-in catalog."""
    data = shipped() / "catalog"
    return data if data.is_dir() else shipped() / "controller" / "catalog"


def state(environ: Mapping[str, str]) -> Path:
    """Return the state folder, `~/.local/state/ttctl`."""
    return _xdg(environ, "XDG_STATE_HOME", ".local/state")


def cache(environ: Mapping[str, str]) -> Path:
    """Return the cache folder, `~/.cache/ttctl`."""
    return _xdg(environ, "XDG_CACHE_HOME", ".cache")


def config(environ: Mapping[str, str]) -> Path:
    """Return the settings file, `~/.config/ttctl/config.toml`."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "config.toml"


def _xdg(environ: Mapping[str, str], name: str, default: str) -> Path:
    base = environ.get(name, "")
    return (Path(base) if base.startswith("/") else Path.home() / default) / NAME
