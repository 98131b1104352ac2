# SPDX-License-Identifier: Apache-2.0
"""Other programs that talk to a stack, and what is written for them. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Form = Literal["sh", "fish", "python", "yaml"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program whose settings can be printed or written."""

    name: str
    title: str
    """What it is, in a few words."""
    use: str
    """What to type; one line, with STACK, FILE and KEYFILE to be filled in."""
    file: str
    """Its own file below the home folder, empty where the settings are only printed."""
    form: Form
    """What the settings are written in."""
    source: str
    """Where its makers describe these settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A tool's settings for one running stack."""

    tool: str
    stack: str
    model: str
    base_url: str
    """What OpenAI's clients call the base URL."""
    key_file: Path
    """Where the key lies; the settings name this file wherever the tool can read one."""
    settings: str
    """The settings; the key itself is in them only where it was asked for."""
    use: str
    """What to type, or what was meant to be typed, to have them used."""
    file: str
    """The file that holds them, or would, empty where they are only printed."""
    holds_key: bool
    """Whether the key itself is in that file, or in what was printed."""
    state: Literal["printed", "planned", "written", "unchanged"]
    """What became of the file."""
