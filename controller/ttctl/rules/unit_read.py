# SPDX-License-Identifier: Apache-2.0
"""What does a unit file say, as systemd would read it? Pure.

It knows what `unit_text` writes: one line a key, quotes and escapes as in C, and doubled signs.

Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.rules.unit_text import Section

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"\'\\;#]+)')
_ESCAPE = re.compile(r'\\(?:U([0-9a-f]{8})|([\\"nt]))')
_NAMED = {"n": "\n", "t": "\t"}


def sections_of(text: str) -> list[Section]:
    """Return a unit's sections with their keys in order.

    Raises:
        ValueError: A line is none of a section, a key, a comment and nothing.
    """
    found: list[Section] = []
    for line in text.split("\n"):
        if not line or line.startswith(("#", ";")):
            continue
        if line.startswith("[") and line.endswith("]"):
            found.append((line[1:-1], []))
            continue
        key, equals, value = line.partition("=")
        if not equals or not found or not key.isalnum() or value.endswith("\\"):
            raise ValueError(line)
        found[-1][1].append((key, value))
    return found


def words_of(value: str, *, dollars: bool) -> tuple[str, ...]:
    """Return the words of a value; `dollars` where a command is read, in which `$$` is one.

    Raises:
        ValueError: A quote has no end, or a sign stands alone that is doubled in text.
    """
    words, at = [], 0
    while at < len(value):
        if not (match := _WORD.match(value, at)):
            raise ValueError(value)
        quoted, bare = match.groups()
        word = bare if quoted is None else _ESCAPE.sub(_meant, quoted)
        words.append(_single(word, "%$" if dollars else "%"))
        at = match.end()
        if at < len(value) and value[at] != " ":
            raise ValueError(value)
        at += 1
    return tuple(words)


def _meant(match: re.Match[str]) -> str:
    number, name = match.groups()
    return chr(int(number, 16)) if number else _NAMED.get(name, name)


def _single(text: str, signs: str) -> str:
    for sign in signs:
        pieces = text.split(sign * 2)
        if any(sign in piece for piece in pieces):
            raise ValueError(text)
        text = sign.join(pieces)
    return text
