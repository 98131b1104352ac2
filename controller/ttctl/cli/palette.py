# SPDX-License-Identifier: Apache-2.0
"""Which colour does a word have on this stream? Tenstorrent's on true colour, else the nearest.

No terminal library: what is asked often must not load one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, TextIO

Role = Literal["accent", "good", "warn", "bad", "dim", "head"]
When = Literal["auto", "always", "never"]
Level = Literal[0, 1, 2, 3]
"""Colours of a stream: none, 16, 256, true colour."""

_RGB = {
    "accent": (79, 209, 197),
    "good": (104, 211, 145),
    "warn": (246, 188, 66),
    "bad": (250, 81, 46),
    "dim": (113, 128, 150),
    "head": (129, 230, 217),
}
"""#4FD1C5 and its family, and the warm colours beside it, light enough for dark grounds and dark
enough for light ones. `dim` carries nothing that is not also said."""

_OF_256 = {"accent": 79, "good": 78, "warn": 214, "bad": 202, "dim": 245, "head": 116}
_OF_16 = {"accent": "36", "good": "32", "warn": "33", "bad": "31", "dim": "2", "head": "1;36"}

STATES: dict[str, Role] = {
    "ready": "good",
    "running": "good",
    "healthy": "good",
    "ok": "good",
    "starting": "warn",
    "warning": "warn",
    "restarting": "warn",
    "created": "warn",
    "unknown": "warn",
    "degraded": "bad",
    "unhealthy": "bad",
    "exited": "bad",
    "dead": "bad",
    "failed": "bad",
    "stopped": "dim",
    "skipped": "dim",
    "skip": "dim",
}
"""Words for how something is; a text that begins with one of them gets its colour."""


class Palette:
    """Paints for one stream, or does nothing."""

    def __init__(self, level: Level) -> None:
        """`level` is what the stream can show."""
        self.level = level

    def paint(self, text: str, role: Role) -> str:
        """Return `text` in the colour of `role`."""
        if not self.level or not text:
            return text
        return f"\x1b[{self._code(role)}m{text}\x1b[0m"

    def state(self, text: str) -> str:
        """Return `text` in the colour of the state that it begins with."""
        role = STATES.get(text.split(maxsplit=1)[0]) if text.strip() else None
        return self.paint(text, role) if role else text

    def _code(self, role: Role) -> str:
        if self.level == 1:
            return _OF_16[role]
        bold = "1;" if role == "head" else ""
        if self.level == 2:  # noqa: PLR2004 - the levels are named above
            return f"{bold}38;5;{_OF_256[role]}"
        red, green, blue = _RGB[role]
        return f"{bold}38;2;{red};{green};{blue}"


def palette_for(
    stream: TextIO, environ: Mapping[str, str] = os.environ, *, when: When = "auto"
) -> Palette:
    """Return the palette that suits `stream`.

    Source: https://no-color.org, https://force-color.org and https://bixense.com/clicolors: what
    the command or the settings say comes first, then NO_COLOR, then FORCE_COLOR and
    CLICOLOR_FORCE, then what the stream is.
    """
    if when == "never" or (when == "auto" and environ.get("NO_COLOR")):
        return Palette(0)
    forced = when == "always" or _is_set(environ, "FORCE_COLOR", "CLICOLOR_FORCE")
    if not forced and (environ.get("CLICOLOR") == "0" or not can_move(stream, environ)):
        return Palette(0)
    return Palette(_level(environ))


def can_move(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether `stream` is a terminal on which the cursor can go back."""
    return stream.isatty() and environ.get("TERM", "dumb") != "dumb"


def _is_set(environ: Mapping[str, str], *names: str) -> bool:
    return any(environ.get(name, "0") not in {"", "0", "false"} for name in names)


def _level(environ: Mapping[str, str]) -> Level:
    asked: dict[str, Level] = {"1": 1, "2": 2, "3": 3}
    if level := asked.get(environ.get("FORCE_COLOR", "")):
        return level
    if environ.get("COLORTERM", "") in {"truecolor", "24bit"}:
        return 3
    return 2 if "256color" in environ.get("TERM", "") else 1
