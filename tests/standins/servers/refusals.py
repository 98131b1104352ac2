# SPDX-License-Identifier: Apache-2.0
"""How a stand-in talks in its log, and how it says no."""

from __future__ import annotations

import sys
from pathlib import Path


class RefusedError(Exception):
    """The real server would not start either; the message says why."""


def say(line: str) -> None:
    """Write one line to the log of the container."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def needed(environ: dict[str, str], name: str) -> str:
    """Return a variable that must be there.

    Raises:
        RefusedError: It is not.
    """
    if name not in environ:
        raise RefusedError(f"{name} is not set")
    return environ[name]


def existing(environ: dict[str, str], name: str) -> Path:
    """Return the path that a variable names.

    Raises:
        RefusedError: The variable or the path is not there.
    """
    path = Path(needed(environ, name))
    if not path.exists():
        raise RefusedError(f"{name} is {path}, which does not exist")
    return path


def made(path: Path) -> Path:
    """Make a folder as the real server does.

    Raises:
        RefusedError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise RefusedError(f"{path} cannot be made: {exc.strerror}") from exc
    return path
