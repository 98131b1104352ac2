# SPDX-License-Identifier: Apache-2.0
"""Which catalog is meant, where does a release lie, and is a copy young enough? Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ttctl.errors import UsageError
from ttctl.rules.redaction import redacted

BUILT_IN = "built-in"
"""The name of the catalog that is shipped."""

NamedBy = Literal["built-in", "release", "url", "file"]

YOUNG_S = 3600
"""How long a copy is used without asking again.

Source: tt-jukebox v1.0.0, whose cache of upstream's catalog lives as long.
"""

_RELEASE = re.compile(r"v?(\d{1,4}\.\d{1,4}\.\d{1,4})")
_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_LOGIN = re.compile(r"^(https?://)[^/?#]*@", re.IGNORECASE)
_STEPS = ((86400, "day"), (3600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogName:
    """What somebody typed to name a catalog."""

    by: NamedBy
    value: str
    """A release without `v`, an address or a path; `built-in`."""


def catalog_name(text: str) -> CatalogName:
    """Return what a text names: the shipped catalog, a release, an address or a file.

    Raises:
        UsageError: It is empty, or an address of another kind.
    """
    word = text.strip()
    if word == BUILT_IN:
        return CatalogName(by="built-in", value=word)
    if found := _RELEASE.fullmatch(word):
        return CatalogName(by="release", value=found[1])
    if _ADDRESS.fullmatch(word):
        return CatalogName(by="url", value=word)
    if not word or "://" in word or "\0" in word:
        raise UsageError(
            f"{redacted(text)!r} names no catalog.",
            why="A catalog is a file, an address, a release, or built-in.",
            evidence="Addresses begin with https:// (http:// on this machine only).",
            next_step="ttctl models refresh --help",
        )
    return CatalogName(by="file", value=word)


def without_login(address: str) -> str:
    """Return an address as it is kept and shown: no name, no password, no token."""
    return redacted(_LOGIN.sub(r"\1", address))


def is_below(release: str, bound: str) -> bool:
    """Return whether a release is older than another, number by number."""
    return _numbers(release) < _numbers(bound)


def is_young(confirmed_s: float, now_s: float) -> bool:
    """Return whether a copy is used without asking; one from the future is not."""
    return 0 <= now_s - confirmed_s < YOUNG_S


def age_text(age_s: float) -> str:
    """Say an age in its largest whole unit."""
    for seconds, unit in _STEPS:
        if (count := int(age_s // seconds)) > 0:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def _numbers(release: str) -> list[int]:
    return [int(part) for part in release.split(".")]
