# SPDX-License-Identifier: Apache-2.0
"""What are the files of images called? Pure: which names are taken is given."""

from __future__ import annotations

import re
import unicodedata
from itertools import count
from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ttctl.model.picture import Place

SUFFIX = ".png"
MOST = 100
"""Images of one prompt; a service draws fewer, and says how many."""
LONGEST = 48
"""Characters of a name that is made from a prompt."""
OTHER_FORMATS = frozenset(
    {".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg", ".avif", ".pdf"}
)
_APART = re.compile(r"[^a-z0-9]+")


def slug_of(prompt: str) -> str:
    """Return a prompt as a file's name: small letters, digits, dashes; `image` for none of them."""
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode("ascii")
    words = _APART.sub("-", plain.lower()).strip("-")
    if len(words) > LONGEST:
        whole, dash, _ = words[: LONGEST + 1].rpartition("-")
        words = whole if dash else words[:LONGEST]
    return words or "image"


def names(place: Place, images: int, taken: Collection[str]) -> tuple[str, ...]:
    """Return the names of so many images; several are numbered from 1.

    Raises:
        UsageError: A name that the user gave is taken, and is not to be replaced.
    """
    if not place.exact:
        return _free(place, images, taken)
    wanted = tuple(_name(place, number) for number in _numbers(images))
    there = [name for name in wanted if name in taken]
    if there and not place.force:
        raise UsageError(
            f"{there[0]!r} is there already.",
            why="A file is replaced only where that is asked for.",
            evidence=f"Folder: {place.folder}",
            next_step="ttctl image --help",
            added="--force",
        )
    return wanted


def next_free(place: Place, taken: Collection[str]) -> str:
    """Return a free name like the one that was meant, for an image that is there already."""
    return _free(place, 1, taken)[0]


def check_suffix(output: Path) -> None:
    """Refuse a file of another format than the one that is drawn.

    Raises:
        UsageError: It is.
    """
    if output.suffix.lower() not in OTHER_FORMATS:
        return
    raise UsageError(
        f"{output.name!r} would be no PNG.",
        why="Images are written as they come, which is PNG.",
        next_step="ttctl image --help",
        mistyped=str(output),
        meant=str(output.with_suffix(SUFFIX)),
    )


def _free(place: Place, images: int, taken: Collection[str]) -> tuple[str, ...]:
    if images == 1 and _name(place, 0) not in taken:
        return (_name(place, 0),)
    for first in count(2 if images == 1 else 1):
        found = tuple(_name(place, first + more) for more in range(images))
        if not any(name in taken for name in found):
            return found
    raise AssertionError


def _numbers(images: int) -> range:
    return range(1) if images == 1 else range(1, images + 1)


def _name(place: Place, number: int) -> str:
    return f"{place.stem}{f'-{number}' if number else ''}{place.suffix}"
