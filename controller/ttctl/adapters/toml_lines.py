# SPDX-License-Identifier: Apache-2.0
"""On which line of a TOML file does a key stand? tomllib does not say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_TEXT_MARK = re.compile(r"\"\"\"|'''")

Location = tuple[int | str, ...]
"""Keys, and positions in lists, from the file's top down."""


def line_of(text: str, location: Location) -> int:
    """Return the line, from 1, of the key at `location`, or of what is nearest above it."""
    best, depth = 1, 0
    for number, found in _places(text):
        if depth < len(found) <= len(location) and location[: len(found)] == found:
            best, depth = number, len(found)
    return best


def _places(text: str) -> Iterator[tuple[int, Location]]:
    """Yield the line and the location of each header, each key and each table in an array."""
    table: Location = ()
    key: Location = ()
    lengths: dict[Location, int] = {}
    element = 0
    in_text = False
    for number, line in enumerate(text.splitlines(), start=1):
        turns = len(_TEXT_MARK.findall(line)) % 2 == 1
        if in_text:
            in_text = not turns
            continue
        if header := _HEADER.match(line):
            table = _table(_names(header[2]), lengths, is_list=header[1] == "[[")
            yield number, table
        elif found := _KEY.match(line):
            key, element = (*table, *_names(found[1])), 0
            yield number, key
        elif line.lstrip().startswith("{"):
            yield number, (*key, element)
            element += 1
        in_text = turns


def _table(names: list[str], lengths: dict[Location, int], *, is_list: bool) -> Location:
    """Return a header's location: a list that it goes through is at its last entry."""
    path: Location = ()
    for depth, name in enumerate(names, start=1):
        path = (*path, name)
        if is_list and depth == len(names):
            lengths[path] = lengths.get(path, 0) + 1
        if path in lengths:
            path = (*path, lengths[path] - 1)
    return path


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]
