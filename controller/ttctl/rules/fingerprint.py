# SPDX-License-Identifier: Apache-2.0
"""Name things by what they are made of. Pure: equal inputs give equal names."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORT = 16
"""Hex digits of a fingerprint in an image's tag: 64 bits, enough for one machine's images."""


def sha256_text(text: str) -> str:
    """Return the SHA-256 of `text` in UTF-8, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_json(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    return sha256_text(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True))


def of_files(files: Mapping[str, str]) -> str:
    """Return the SHA-256 over paths and texts, independent of their order."""
    return of_json(sorted((path, sha256_text(text)) for path, text in files.items()))


def of_image(
    *, dockerfile: str, files: Iterable[tuple[str, str, bool]], parent_fingerprint: str
) -> str:
    """Return an image's fingerprint: its text, the files that it copies, its parent's."""
    copied = sorted((path, sha256_text(text), executable) for path, text, executable in files)
    return of_json({"dockerfile": dockerfile, "files": copied, "parent": parent_fingerprint})
