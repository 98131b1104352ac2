# SPDX-License-Identifier: Apache-2.0
"""Can a terminal show a picture among its text, and with which bytes? Pure.

Sixel is left out: it wants the picture decoded, scaled and put into a palette, which takes a
library for pictures, and the terminals that know nothing else are few.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Protocol = Literal["kitty", "iterm", "none"]
Show = Literal["auto", "kitty", "iterm", "none"]

CHUNK = 4096
"""Characters of base64 in one of kitty's escape codes at most; a multiple of 4.

Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/#remote-client
"""
WIDEST = 40
"""Columns that a picture takes at most: a square one is then 20 lines high, and fits a terminal of
80 columns and 24 lines with its caption."""
CELL = 2
"""How much higher than wide a character is, about."""
KITTY_PROGRAMS = frozenset({"ghostty"})
ITERM_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "mintty"})
"""What `TERM_PROGRAM` says where iTerm2's code is understood; VS Code does where the setting
`terminal.integrated.enableImages` is on, and swallows it else.

Source: https://wezterm.org/imgcat.html, https://code.visualstudio.com/docs/terminal/advanced#_image-support
and https://github.com/mintty/mintty/wiki/CtrlSeqs#image-support
"""


def protocol_for(environ: Mapping[str, str], *, show: Show, is_terminal: bool) -> Protocol:
    """Return how a picture is shown; what was asked for holds, else what the terminal says it is.

    In tmux and screen nothing is shown unasked: they keep such codes to themselves unless they
    are set up otherwise, and nobody but they know it.

    Source: https://sw.kovidgoyal.net/kitty/glossary/#envvar-KITTY_WINDOW_ID and
    https://ghostty.org/docs/help/terminfo; `LC_TERMINAL` is what iTerm2 sets and ssh hands on.
    """
    if show != "auto":
        return show
    if not is_terminal or is_multiplexed(environ):
        return "none"
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if program in ITERM_PROGRAMS:
        return "iterm"
    if program in KITTY_PROGRAMS or term in {"xterm-kitty", "xterm-ghostty"}:
        return "kitty"
    if environ.get("KITTY_WINDOW_ID"):
        return "kitty"
    return "iterm" if environ.get("LC_TERMINAL") == "iTerm2" else "none"


def is_multiplexed(environ: Mapping[str, str]) -> bool:
    """Return whether tmux or screen stands between a program and the terminal."""
    inner = environ.get("TERM", "").startswith(("tmux", "screen"))
    return inner or bool(environ.get("TMUX") or environ.get("STY"))


def encoded(
    png: bytes, protocol: Protocol, *, name: str, columns: int, through_tmux: bool = False
) -> str:
    """Return what a terminal is sent to show a picture and go on below it; empty for `none`.

    Args:
        png: The file's bytes.
        protocol: Which codes the terminal knows.
        name: Of the file, as a terminal may offer it.
        columns: Characters that the picture is wide; its height follows.
        through_tmux: Whether tmux has to hand it on, which its `allow-passthrough` permits.
    """
    match protocol:
        case "kitty":
            codes = _kitty(png, columns)
        case "iterm":
            codes = [_iterm(png, name, columns)]
        case _:
            return ""
    return "".join(_handed_on(one) if through_tmux else one for one in codes) + "\n"


def columns_for(width: int, height: int, *, columns: int, lines: int) -> int:
    """Return how many columns a picture takes so that it and its caption fit a terminal.

    Args:
        width: Of the picture, in pixels.
        height: The same.
        columns: Of the terminal.
        lines: The same.
    """
    by_height = (max(lines, 4) - 3) * CELL * width // max(height, 1)
    return max(1, min(WIDEST, columns - 1, by_height))


def _kitty(png: bytes, columns: int) -> list[str]:
    """Return the codes that send and show a PNG (`f=100`), which no terminal answers (`q=2`).

    Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/#control-data-reference
    """
    text = b64encode(png).decode("ascii")
    chunks = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)] or [""]
    codes = []
    for number, chunk in enumerate(chunks):
        first = f"a=T,f=100,c={columns}," if number == 0 else ""
        more = int(number < len(chunks) - 1)
        codes.append(f"\x1b_G{first}q=2,m={more};{chunk}\x1b\\")
    return codes


def _iterm(png: bytes, name: str, columns: int) -> str:
    """Return the code of iTerm2; a width without a unit is in characters.

    Source: https://iterm2.com/documentation-images.html
    """
    named = b64encode(name.encode("utf-8", "replace")).decode("ascii")
    keys = f"name={named};size={len(png)};width={columns};preserveAspectRatio=1;inline=1"
    return f"\x1b]1337;File={keys}:{b64encode(png).decode('ascii')}\x07"


def _handed_on(code: str) -> str:
    """Return a code as tmux hands it on to its terminal.

    Source: https://github.com/tmux/tmux/wiki/FAQ#what-is-the-passthrough-escape-sequence-and-how-do-i-use-it
    """
    doubled = code.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"
