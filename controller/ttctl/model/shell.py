# SPDX-License-Identifier: Apache-2.0
"""A shell's completion script, and what became of its file. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

ScriptState = Literal["printed", "written", "unchanged", "removed", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellScript:
    """The completion script of one shell."""

    shell: str
    path: Path
    """Where the shell looks for it in the user's folders."""
    state: ScriptState
    """What was done with the file, or under `--dry-run` would be."""
    dry_run: bool
    text: str
    """The script."""
    further: str
    """What the shell needs beside it; empty where nothing."""
