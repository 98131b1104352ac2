# SPDX-License-Identifier: Apache-2.0
"""Is a token of the model hub at hand? Whether, never which; without the hub's library, for speed.

Source: huggingface_hub 2.4.0: utils/_auth.py, constants.py HF_TOKEN_PATH.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""The first that holds anything counts."""


def has_token(environ: Mapping[str, str], *, home: Path) -> bool:
    """Return whether a variable or the hub's own file holds a token."""
    if any(environ.get(name, "").strip() for name in NAMES):
        return True
    try:
        return bool(_file(environ, home).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return False


def _file(environ: Mapping[str, str], home: Path) -> Path:
    def named(text: str) -> Path:
        path = Path(text)
        return home / path.relative_to("~") if path.parts[:1] == ("~",) else path

    if path := environ.get("HF_TOKEN_PATH"):
        return named(path)
    if folder := environ.get("HF_HOME"):
        return named(folder) / "token"
    cache = named(environ.get("XDG_CACHE_HOME") or "~/.cache")
    return cache / "huggingface" / "token"
