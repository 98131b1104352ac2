# SPDX-License-Identifier: Apache-2.0
"""Where ttctl's own files lie, and where a user's do (XDG base directories)."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.settings import FoundSetting

NAME = "ttctl"
PROJECT_FILE = "ttctl.toml"


def shipped() -> Path:
    """Return the folder that holds images/, compose/ and catalog/: the wheel's, or a checkout's."""
    package = Path(__file__).resolve().parents[1]
    data = package / "data"
    return data if data.is_dir() else package.parents[1]


def catalog() -> Path:
    """Return the folder of the built-in catalog."""
    data = shipped() / "catalog"
    return data if data.is_dir() else shipped() / "controller" / "catalog"


def engine_start(folder: Path | None = None) -> str:
    """Return the command that starts an engine: this project's own where its files are here."""
    if _is_checkout(folder or current_folder()):
        return "make engine"
    if _is_checkout(shipped()):
        return f"make -C {quote(str(shipped()))} engine"
    return "sudo systemctl start docker"


def engine_install(package: str) -> str:
    """Return the command that installs what belongs to an engine."""
    start = engine_start()
    if start.startswith("make"):
        return f"{start}   # or: apt-get install {package}"
    return f"sudo apt-get install {package}   # or your distribution's package"


def state(environ: Mapping[str, str]) -> Path:
    """Return the state folder, `~/.local/state/ttctl`."""
    return _xdg(environ, "XDG_STATE_HOME", ".local/state")


def cache(environ: Mapping[str, str]) -> Path:
    """Return the cache folder, `~/.cache/ttctl`."""
    return _xdg(environ, "XDG_CACHE_HOME", ".cache")


def config(environ: Mapping[str, str], named: str | None = None) -> Path:
    """Return the user's settings file: the one that is named, else `~/.config/ttctl/config.toml`.

    Args:
        environ: `TTCTL_CONFIG` in it names a file, too.
        named: What `--config` says.
    """
    if own := environ.get("TTCTL_CONFIG", "") if named is None else named:
        return Path(own).expanduser().absolute()
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "config.toml"


def device_root(found: FoundSetting) -> Path:
    """Return the folder in which cards are looked for.

    Raises:
        BadFileError: It is no folder: a machine that was not looked at is none without cards.
    """
    root = Path(str(found.value))
    if root.is_absolute() and root.is_dir():
        return root
    by_variable = found.source.startswith("TTCTL_")
    undo = f"ttctl --config {quote(found.source)} config unset {found.key}"
    if Path(found.source).name == PROJECT_FILE:
        undo = f"ttctl config unset --project {found.key}"
    raise BadFileError(
        f"The setting {found.key!r} names no folder: {str(root)!r}.",
        why="Cards are looked for in sysfs, procfs and /dev below it.",
        evidence=f"{found.source} says so; it must be a folder's whole path, as / is.",
        next_step=f"unset {found.source}" if by_variable else undo,
    )


def project(folder: Path, home: Path) -> Path | None:
    """Return the nearest `ttctl.toml` in `folder` or above it, at most up to the home folder."""
    for one in (folder, *folder.parents):
        if (one / PROJECT_FILE).is_file():
            return one / PROJECT_FILE
        if one == home:
            break
    return None


def current_folder() -> Path:
    """Return the current folder; where somebody removed it, the file system's root."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def _is_checkout(folder: Path) -> bool:
    return (folder / "Makefile").is_file() and (folder / "controller" / "ttctl").is_dir()


def _xdg(environ: Mapping[str, str], name: str, default: str) -> Path:
    base = environ.get(name, "")
    return (Path(base) if base.startswith("/") else Path.home() / default) / NAME
