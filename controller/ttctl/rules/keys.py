# SPDX-License-Identifier: Apache-2.0
"""Which keys does a gateway accept, and until when? Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.keys import OWN_KEY, KeyRow

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
LINE = re.compile(r"([0-9a-f]{64})[ \t]+([^@\n]{1,64}?)(?:@([0-9]{1,12}))?(?:@([0-9]{1,12}))?\s*")
KEEP = re.compile(r"([0-9]{1,9})([smhd]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST_S = 366 * 86400

Rows = tuple[KeyRow, ...]


def rows_in(text: str) -> Rows:
    """Return the keys of a map file; what is no key there, the gateway could not use either."""
    found = (LINE.fullmatch(line) for line in text.splitlines())
    return tuple(
        KeyRow(sha256=one[1], name=one[2], until=int(one[3] or 0), made=int(one[4] or 0))
        for one in found
        if one is not None
    )


def map_text(rows: Rows) -> str:
    """Return the map file of these keys: `HASH NAME`, and what else is known behind an `@` each."""
    return "".join(f"{one.sha256} {one.name}{_known(one)}\n" for one in rows)


def _known(row: KeyRow) -> str:
    if row.made:
        return f"@{row.until}@{row.made}"
    return f"@{row.until}" if row.until else ""


def holds(rows: Rows, sha256: str) -> bool:
    """Return whether a stack's own key is among them, and without an end."""
    return any(one.sha256 == sha256 and one.name == OWN_KEY and not one.until for one in rows)


def mended(rows: Rows, own_sha256: str, *, made: int = 0) -> Rows:
    """Return the keys with the stack's own first.

    A key of its name without an end that is another is what a killed command left: nobody has it.
    """
    mine = next((one for one in rows if one.sha256 == own_sha256), None)
    mine = mine or KeyRow(name=OWN_KEY, sha256=own_sha256, made=made)
    others = (
        one for one in rows if one.sha256 != own_sha256 and (one.name != OWN_KEY or one.until)
    )
    return (replace(mine, name=OWN_KEY, until=0), *others)


def living(rows: Rows, now: int) -> Rows:
    """Return the keys that the gateway still accepts."""
    return tuple(one for one in rows if not one.until or one.until > now)


def named(rows: Iterable[KeyRow], name: str) -> Rows:
    """Return the keys of a name: the one that holds, and those before it that have not ended."""
    return tuple(one for one in rows if one.name == name)


def rotated(rows: Rows, name: str, sha256: str, *, now: int, keep_s: int) -> Rows:
    """Return the keys with a new one of this name; the one before it ends after `keep_s`."""
    until = now + keep_s
    ending = (
        replace(one, until=min(one.until or until, until)) if one.name == name else one
        for one in rows
    )
    return living((*ending, KeyRow(name=name, sha256=sha256, made=now)), now)


def checked_key_name(name: str) -> str:
    """Return `name` where it can name a key: it stands in the gateway's log.

    Raises:
        UsageError: It cannot.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a key.",
            why="A key's name has lower-case letters, digits and dashes, at most 48.",
            evidence="For example ci, or alices-laptop.",
            next_step="ttctl config key new --help",
        )
    return name


def keep_seconds(text: str) -> int:
    """Return for how many seconds an old key stays valid, of `0`, `90s`, `15m`, `24h` or `7d`.

    Raises:
        UsageError: It is none of these, or longer than a year.
    """
    found = KEEP.fullmatch(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found else -1
    if not 0 <= seconds <= LONGEST_S:
        raise UsageError(
            f"{text!r} is no time to keep an old key.",
            why="A number and s, m, h or d, at most 366 days; 0 ends it at once.",
            evidence="For example 15m, 24h or 7d.",
            next_step="ttctl config key rotate --keep 24h",
            mistyped=text,
            meant="24h",
        )
    return seconds
