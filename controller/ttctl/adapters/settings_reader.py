# SPDX-License-Identifier: Apache-2.0
"""Read a settings file; loaded where there is one."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.toml_lines import line_of
from ttctl.errors import BadFileError
from ttctl.rules.settings import layer_of_file

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.rules.settings import Layer


def read_settings(path: Path, home: str, next_step: str) -> Layer:
    """Return what the file at `path` says.

    Raises:
        BadFileError: It cannot be read, is no TOML, or says what no setting holds; or somebody
            else laid it into a folder where everybody may write.
    """
    try:
        _refuse_foreign(path)
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as exc:
        raise BadFileError(
            f"{str(path)!r} cannot be read.",
            why=getattr(exc, "strerror", None) or str(exc),
            evidence=str(path),
            next_step=f"ls -l {quote(str(path))}",
        ) from exc
    return check_settings(text, path, home, next_step)


def check_settings(text: str, path: Path, home: str, next_step: str) -> Layer:
    """Return what `text` says as the content of the file at `path`.

    Raises:
        BadFileError: It is no TOML, or says what no setting holds.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        found = re.search(r"at line (\d+)", str(exc))
        line = found[1] if found else max(1, len(text.splitlines()))
        raise BadFileError(
            f"{str(path)!r} is not valid TOML.",
            why="It was cut short, or edited by hand.",
            evidence=f"{path}, line {line}: {exc}",
            next_step=next_step,
        ) from exc
    return layer_of_file(
        data,
        path=str(path),
        home=home,
        line_of=lambda location: line_of(text, location),
        next_step=next_step,
    )


def _refuse_foreign(path: Path) -> None:
    """Refuse a file that another user could lay in our way, such as one in /tmp.

    Source: sudo's and git's rules for files of others, https://git-scm.com/docs/git-config
    (safe.directory). Ours is narrower: in a folder of its owner alone, a file may be anybody's.
    """
    found, folder = path.stat(), path.parent.stat()
    shared = folder.st_mode & stat.S_IWOTH and stat.S_ISREG(found.st_mode)
    if shared and found.st_uid not in {0, os.geteuid()}:
        raise BadFileError(
            f"{str(path)!r} belongs to another user.",
            why="Everybody may write into its folder, and it would change what ttctl does.",
            evidence=f"owner {found.st_uid}, expected {os.geteuid()} or 0",
            next_step=f"ls -l {quote(str(path))}",
        )
