# SPDX-License-Identifier: Apache-2.0
"""Put a completion script where a user's shell looks for it, and take it away again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.files import write_atomically
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.shell import ScriptState

MARK = "_TTCTL_COMPLETE"
"""Stands in every script of ours."""


def script_path(shell: str, environ: Mapping[str, str]) -> Path:
    """Return where `shell` finds the user's completion of ttctl.

    Source: https://github.com/scop/bash-completion/blob/2.14.0/README.md (the user's folder),
    https://fishshell.com/docs/current/completions.html (where to put completions). zsh has no
    folder of the user's own: the one here has to be put into its `fpath`.
    """
    data = _folder(environ, "XDG_DATA_HOME", ".local/share")
    match shell:
        case "bash":
            return data / "bash-completion" / "completions" / "ttctl"
        case "zsh":
            return data / "zsh" / "site-functions" / "_ttctl"
        case _:
            return _folder(environ, "XDG_CONFIG_HOME", ".config") / "fish/completions/ttctl.fish"


def install(path: Path, text: str, *, dry_run: bool) -> ScriptState:
    """Write a script where it is not there yet.

    Raises:
        TtctlError: Another file has this name, or the file system refused.
    """
    if _ours(path) == text:
        return "unchanged"
    if not dry_run:
        write_atomically(path, text, mode=0o644)
    return "written"


def uninstall(path: Path, *, dry_run: bool) -> ScriptState:
    """Remove a script of ours.

    Raises:
        TtctlError: Another file has this name, or the file system refused.
    """
    if not _ours(path):
        return "absent"
    if not dry_run:
        try:
            path.unlink()
        except OSError as exc:
            raise _refused(path, exc) from exc
    return "removed"


def _ours(path: Path) -> str:
    """Return the text of our script, empty where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise _refused(path, exc) from exc
    if text and MARK not in text:
        raise TtctlError(
            f"{str(path)!r} is not a script of ttctl's.",
            why="ttctl changes no file that it did not make.",
            evidence=f"Not in it: {MARK}.",
            next_step=f"mv {path} {path}.old",
        )
    return text


def _refused(path: Path, exc: OSError) -> TtctlError:
    return TtctlError(
        f"{str(path)!r} could not be read or removed.",
        why=exc.strerror or "the file system refused",
        evidence=str(path),
        next_step=f"ls -ld {path.parent}",
    )


def _folder(environ: Mapping[str, str], name: str, default: str) -> Path:
    base = environ.get(name, "")
    return Path(base) if base.startswith("/") else Path.home() / default
