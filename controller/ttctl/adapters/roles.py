# SPDX-License-Identifier: Apache-2.0
"""Roles: small text files, the shipped ones and the user's own. A file's name is the role's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.talk import Role
from ttctl.rules.talk import NAME

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".md"
LARGEST_BYTES = 64 << 10
"""A system message that is longer leaves no room for a conversation."""


def read_roles(shipped: Path, own: Path) -> tuple[Role, ...]:
    """Return all roles by name; one of the user's own takes the place of a shipped one.

    Raises:
        BadFileError: A file is too large, empty, or no text.
    """
    found = {path.stem: _role(path, source="shipped") for path in _files(shipped)}
    found |= {path.stem: _role(path, source=str(path)) for path in _files(own)}
    return tuple(found[name] for name in sorted(found))


def unnamed_roles(own: Path) -> tuple[str, ...]:
    """Return the names of files that would be roles but for characters that a name cannot have."""
    files = sorted(own.glob(f"*{SUFFIX}"))
    return tuple(one.name for one in files if one.name[0] != "." and not NAME.fullmatch(one.stem))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob(f"*{SUFFIX}")) if NAME.fullmatch(path.stem)]


def _role(path: Path, *, source: str) -> Role:
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise _bad(path, getattr(exc, "strerror", None) or "It is no UTF-8 text.") from exc
    if not text or len(raw) > LARGEST_BYTES:
        raise _bad(path, "It is empty." if not text else f"It is over {LARGEST_BYTES} bytes.")
    return Role(name=path.stem, text=text, source=source)


def _bad(path: Path, why: str) -> BadFileError:
    return BadFileError(
        f"The role {path.stem!r} cannot be read.",
        why=why,
        evidence=str(path),
        next_step=f"ls -l {path}",
    )
