# SPDX-License-Identifier: Apache-2.0
"""What does a refresh ask for: an address, and what must come from there?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.rules.catalog_names import is_below, without_login

if TYPE_CHECKING:
    from ttctl.adapters.sources import CatalogEntry
    from ttctl.rules.catalog_names import CatalogName


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a refresh asks for."""

    url: str
    """With its login; empty where it is a file."""
    source: str
    """What the copy is kept under: the address without a login, or the file's path."""
    release: str = ""
    """The release that it must be, empty for any."""
    plain: str = ""
    """The site's mirror, which may be unencrypted."""


def target_of(wanted: CatalogName | None, *, where: CatalogEntry, mirror: str) -> Target:
    """Return what to ask for; None means upstream's newest release.

    An address that ends with a slash is a mirror: the newest release is asked of it.

    Args:
        wanted: What was typed.
        where: How upstream's addresses are made.
        mirror: The site's mirror, empty for none.
    """
    if wanted is not None and wanted.by == "file":
        return Target(url="", source=str(Path(wanted.value).absolute()))
    url, release = "", ""
    if wanted is not None and wanted.by == "url":
        url = wanted.value
    elif wanted is not None:
        release = wanted.value
    if not url or url.endswith("/"):
        url = _address(where, release, url or mirror or where.host)
    return Target(url=url, source=without_login(url), release=release, plain=mirror)


def _address(where: CatalogEntry, release: str, host: str) -> str:
    old = bool(release) and is_below(release, where.older_below)
    ref = where.tag.format(release=release) if release else where.newest
    file = where.older_file if old else where.file
    return f"{host.rstrip('/')}/{where.repository}/{ref}/{file}"
