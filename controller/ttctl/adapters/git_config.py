# SPDX-License-Identifier: Apache-2.0
"""Which mirrors does git ask on this host? By git itself: its files include others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.process import run
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIMIT_S = 5.0
FOUND, NONE, TOO_OLD = 0, 1, 129
"""Exit codes where a setting is there, where none is, and of a git without `--show-origin` (2.8).

Source: git-config(1), DESCRIPTION; 129 is git's for a flag that it does not know.
"""

_ASK = ("git", "config", "--null", "--show-origin", "--get-regexp", r"^url\..*\.insteadof$")
_TELLING = ("insteadof", "[include")
_WEB = ("http://", "https://")
_OF_GIT = "GIT_CONFIG"


def host_git_mirrors(environ: Mapping[str, str], *, root: Path, home: Path) -> tuple[Sourced, ...]:
    """Return `PUBLIC=MIRROR` pairs from this user's and this machine's git settings.

    A repository's own settings do not count. Other ways than HTTP are left out, since a build
    has no key for them. Nothing is started where no file speaks of another address.

    Raises:
        BadFileError: git cannot read its settings.
    """
    given = {
        name: value
        for name, value in environ.items()
        if name.startswith(_OF_GIT) or name == "XDG_CONFIG_HOME"
    }
    given.setdefault("GIT_CONFIG_SYSTEM", str(root / "etc/gitconfig"))
    files = _files(given, home)
    if "GIT_CONFIG_COUNT" not in given and not any(map(_tells, files)):
        return ()
    own = {
        "PATH": environ.get("PATH", os.defpath),
        "HOME": str(home),
        # No repository: the settings of the one that the user stands in are its own affair.
        "GIT_DIR": os.devnull,
    }
    try:
        done = run(_ASK, timeout_s=LIMIT_S, environ={**given, **own})
    except TtctlError:
        return ()
    if done.returncode not in {FOUND, NONE, TOO_OLD}:
        raise BadFileError(
            "The settings of git on this host cannot be read.",
            why="They may name mirrors, which builds and catalogs are then fetched from.",
            evidence=done.tail(2) or f"git config ended with {done.returncode}.",
            next_step="git config --list --show-origin",
        )
    return tuple(dict.fromkeys(_entries("\n".join(done.lines))))


def _files(given: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Yield the files that git starts from. Source: https://git-scm.com/docs/git-config#FILES."""
    yield Path(given["GIT_CONFIG_SYSTEM"])
    if named := given.get("GIT_CONFIG_GLOBAL"):
        yield Path(named)
        return
    yield home / ".gitconfig"
    yield home / (given.get("XDG_CONFIG_HOME") or ".config") / "git/config"


def _tells(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return False
    return any(word in text for word in _TELLING)


def _entries(output: str) -> Iterator[Sourced]:
    """Read what git prints: origin, NUL, `url.MIRROR.insteadof`, line end, PUBLIC, NUL."""
    words = output.split("\0")
    for origin, entry in zip(words[::2], words[1::2], strict=False):
        key, _, public = entry.partition("\n")
        mirror = key.removeprefix("url.").removesuffix(".insteadof")
        if not (public.startswith(_WEB) and mirror.startswith(_WEB)):
            continue
        if any(char.isspace() for char in public + mirror) or "=" in public:
            continue
        source = origin.removeprefix("file:") if origin.startswith("file:") else "GIT_CONFIG_COUNT"
        yield Sourced(value=f"{public}={mirror}", source=source)
