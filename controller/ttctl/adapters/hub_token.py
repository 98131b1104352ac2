# SPDX-License-Identifier: Apache-2.0
"""Is a token of the model hub at hand, and where is its cache? For speed without its library.

Source: huggingface_hub 2.4.0: utils/_auth.py, constants.py HF_TOKEN_PATH.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""The first that holds anything counts."""
_CACHES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")


def has_token(environ: Mapping[str, str], *, home: Path, named: str = "") -> bool:
    """Return whether a variable or the hub's own file holds a token; `named` is read in place."""
    if not named and any(environ.get(name, "").strip() for name in NAMES):
        return True
    try:
        file = _named(named, environ, home) if named else _file(environ, home)
        return bool(file.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return False


def token_files(environ: Mapping[str, str], *, home: Path, named: str = "") -> tuple[Path, ...]:
    """Return every file in which a token of the hub may be, whether it is there or not.

    Source: huggingface_hub 2.4.0: constants.py HF_STORED_TOKENS_PATH.
    """
    own = (_named(named, environ, home),) if named else ()
    file = _file(environ, home)
    return (*own, file, file.with_name("stored_tokens"))


def _file(environ: Mapping[str, str], home: Path) -> Path:
    if path := environ.get("HF_TOKEN_PATH"):
        return _named(path, environ, home)
    return _hub_home(environ, home) / "token"


def _hub_home(environ: Mapping[str, str], home: Path) -> Path:
    if folder := environ.get("HF_HOME"):
        return _named(folder, environ, home)
    return _named(environ.get("XDG_CACHE_HOME") or "~/.cache", environ, home) / "huggingface"


def _named(text: str, environ: Mapping[str, str], home: Path) -> Path:
    """Return a path with the variables and the home folder in it filled in."""
    path = Path(Template(text).safe_substitute(environ))
    return home / path.relative_to("~") if path.parts[:1] == ("~",) else path


def hub_cache(environ: Mapping[str, str], home: Path) -> Path:
    """Return the cache that the hub's own tools share, whether it is there or not.

    Source: huggingface_hub 2.4.0: constants.py HF_HUB_CACHE.
    """
    for name in _CACHES:
        if path := environ.get(name):
            return _named(path, environ, home)
    return _hub_home(environ, home) / "hub"


def names_cache(environ: Mapping[str, str]) -> bool:
    """Return whether the user's environment says where the hub's tools keep what they fetch."""
    return any(environ.get(name) for name in (*_CACHES, "HF_HOME"))
