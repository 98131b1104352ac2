# SPDX-License-Identifier: Apache-2.0
"""Open a text in the user's editor."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.files import write_atomically
from ttctl.adapters.process import run_in_terminal
from ttctl.adapters.scratch import scratch
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Mapping

EDITING_S = 86400.0
"""How long an editor may stay open."""
FALLBACK = "vi"
"""POSIX has it: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/vi.html."""
KNOWN = ("nano", "vim", FALLBACK, "emacs", "ed")
"""Editors that stand in for one that fails, where they are installed."""


def edit_text(text: str, environ: Mapping[str, str], *, again: str = "ttctl config edit") -> str:
    """Return what a person made of `text`, on a copy that no other user can read.

    Args:
        text: What is edited.
        environ: VISUAL, then EDITOR in it name the editor.
        again: The command that does the same once more.

    Raises:
        ToolMissingError: The editor is not installed.
        TtctlError: It failed, or what it wrote is no text.
    """
    command = _editor(environ)
    with scratch("edit") as folder:
        file = folder / "ttctl.toml"
        write_atomically(file, text, mode=0o600)
        code = run_in_terminal(
            [*command, str(file)],
            timeout_s=EDITING_S,
            environ=environ,
            next_step=_with_another(command[0], again),
        )
        try:
            if code == 0:
                return file.read_bytes().decode()
            reason = f"It ended with {code}."
        except (OSError, UnicodeDecodeError) as exc:
            reason = str(exc)
    raise TtctlError(
        f"The editor {shlex.join(command)!r} failed.",
        why=reason,
        evidence="The settings are as they were; VISUAL, then EDITOR name the editor.",
        next_step=_with_another(command[0], again),
    )


def _with_another(editor: str, again: str) -> str:
    """Return the command with an editor that is here; VISUAL is what is asked first."""
    known = (one for one in KNOWN if one != Path(editor).name and shutil.which(one))
    other = next(known, "")
    return f"VISUAL={other} {again}" if other else "ttctl config set --help"


def _editor(environ: Mapping[str, str]) -> list[str]:
    named = (environ.get(name, "").strip() for name in ("VISUAL", "EDITOR"))
    editor = next((one for one in named if one), FALLBACK)
    try:
        return shlex.split(editor)
    except ValueError:
        # Quotes that do not close: taken as the name of a program.
        return [editor]
