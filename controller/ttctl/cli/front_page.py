# SPDX-License-Identifier: Apache-2.0
"""What `ttctl --help` shows, from the registry alone: no command and no library is loaded."""

from __future__ import annotations

from textwrap import wrap

from ttctl.cli.door import GLOBAL, VALUED
from ttctl.cli.palette import Palette
from ttctl.cli.registry import ALIASES, COMMANDS, GROUPS

PURPOSE = "Run a model on Tenstorrent cards, or on the CPU, with one command."


def front_page(palette: Palette) -> str:
    """Return the page."""
    lines = ["Usage: ttctl VERB [ARGUMENTS]", "", PURPOSE]
    for group, verbs in GROUPS.items():
        lines += ["", palette.paint(group, "head")]
        lines += [_line(verb, COMMANDS[verb][1], palette) for verb in verbs]
    lines += ["", palette.paint("Before or after any verb", "head")]
    for long, short, _, text in GLOBAL:
        lines.append(_line(f"{long}, {short}" if short else long, text, palette))
    lines += [_line(f"{long} {value}", text, palette) for long, value, _, text in VALUED]
    lines.append(_line("--version, -V", "Print the version.", palette))
    same = ", ".join(f"{alias} = {' '.join(words)}" for alias, words in ALIASES.items())
    lines += ["", *wrap(f"Also understood: {same}.", 79)]
    lines += ["More of a verb: ttctl VERB --help, or man ttctl-VERB"]
    lines += ["Completion by Tab: ttctl completion bash|zsh|fish --install"]
    return "\n".join(lines)


def _line(name: str, text: str, palette: Palette) -> str:
    return f"  {palette.paint(f'{name:<13}', 'accent')} {text}"
