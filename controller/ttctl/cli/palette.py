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
Ground = Literal["dark", "light"]
"""What the terminal paints on. Nothing says so on most, and most are dark."""

_RGB: dict[Ground, dict[Role, tuple[int, int, int]]] = {
    "dark": {
        "accent": (79, 209, 197),
        "good": (39, 174, 96),
        "warn": (244, 196, 113),
        "bad": (255, 107, 107),
        "dim": (96, 125, 139),
        "head": (129, 230, 217),
    },
    "light": {
        "accent": (50, 147, 178),
        "good": (73, 156, 141),
        "warn": (130, 103, 43),
        "bad": (208, 58, 27),
        "dim": (108, 105, 96),
        "head": (43, 108, 130),
    },
}
"""The families of Tenstorrent's two themes for an editor and its terminal: #4FD1C5 and what goes
with it on a dark ground, and its counterpart on a light one, where #4FD1C5 cannot be read.

Source: `themes/tenstorrent-theme.json` and `themes/tenstorrent-light-theme.json`, the colours of
links, additions, warnings, errors, comments and headings, of
https://github.com/tenstorrent/tt-vscode-toolkit/tree/a37b251e817afb48560d8fc96935fb829738d569
"""

_OF_256: dict[Ground, dict[Role, int]] = {
    "dark": {"accent": 80, "good": 35, "warn": 221, "bad": 203, "dim": 66, "head": 116},
    "light": {"accent": 67, "good": 66, "warn": 94, "bad": 166, "dim": 241, "head": 24},
}
"""The nearest of the 256 that can be read on that ground."""

_LIGHT = frozenset({"7", *map(str, range(9, 16))})
"""Of the 16 colours, those that are light."""
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

    def __init__(self, level: Level, ground: Ground = "dark") -> None:
        """`level` is what the stream can show."""
        self.level = level
        self.ground = ground

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
            return f"{bold}38;5;{_OF_256[self.ground][role]}"
        red, green, blue = _RGB[self.ground][role]
        return f"{bold}38;2;{red};{green};{blue}"


def palette_for(
    stream: TextIO, environ: Mapping[str, str] = os.environ, *, when: When = "auto"
) -> Palette:
    """Return the palette that suits `stream`.

    Source: https://no-color.org, https://force-color.org and https://bixense.com/clicolors: what
    the command or the settings say comes first, then NO_COLOR, then FORCE_COLOR (0 refuses, as
    Node.js has it) and CLICOLOR_FORCE, then what the stream is.
    """
    refused = environ.get("NO_COLOR") or environ.get("FORCE_COLOR") in {"0", "false"}
    if when == "never" or (when == "auto" and refused):
        return Palette(0)
    forced = when == "always" or _is_set(environ, "FORCE_COLOR", "CLICOLOR_FORCE")
    if not forced and (environ.get("CLICOLOR") == "0" or not can_move(stream, environ)):
        return Palette(0)
    return Palette(_level(environ), _ground(environ))


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


def _ground(environ: Mapping[str, str]) -> Ground:
    """Return what the terminal says of its ground, as rxvt, Konsole and others do.

    `COLORFGBG` is the number of the text's colour and that of the ground, with a third between
    them at times; a person can export it where the terminal does not.
    Source: `term_bg_default` of
    https://github.com/vim/vim/blob/05c00c038bc16e862e17f9e5c8d5a72af6cf7788/src/option.c
    """
    number = environ.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if number in _LIGHT else "dark"
