# SPDX-License-Identifier: Apache-2.0
"""How are the figures of a live screen written, and what fits into so many columns? Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Sequence

Mark = Literal["", "head", "state", "dim", "accent"]
"""What a piece is, for whoever paints it: `state` has the colour of its first word."""
Line = tuple[tuple[str, Mark], ...]
"""A line in pieces."""
Cells = tuple[str, ...]
"""A row of a table."""

NOTHING = "-"
MORE = "…"
GAP = "  "
THOUSAND = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table."""

    head: str
    worth: int
    """The one with the least is left out first; those with 9 never are."""
    right: bool = False
    """Whether it is of figures."""
    mark: Mark = ""


def plain(text: str) -> str:
    """Return text that moves no cursor: what is no printable character is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def wide(text: str) -> int:
    """Return the columns that a text takes; a wide letter takes two, a combining one none."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def shortened(text: str, width: int) -> str:
    """Return what fits of a text: whole words and a mark; of one long word, its beginning."""
    text = plain(text)
    if wide(text) <= width:
        return text
    kept = ""
    for word in text.split(" "):
        more = f"{kept} {word}" if kept else word
        if wide(f"{more} {MORE}") > width:
            break
        kept = more
    if kept:
        return f"{kept} {MORE}"
    while text and wide(text + MORE) > width:
        text = text[:-1]
    return text + MORE if width else ""


def count_text(value: float | None) -> str:
    """Return `1234`, `123k`, `1.2M`."""
    if value is None:
        return NOTHING
    if value < 100 * THOUSAND:
        return f"{value:.0f}"
    for unit in ("k", "M", "G"):
        value /= THOUSAND
        if value < THOUSAND:
            return f"{value:.0f}{unit}" if value >= 100 else f"{value:.1f}{unit}"  # noqa: PLR2004 - three digits
    return f"{value:.0f}G"


def rate_text(value: float | None) -> str:
    """Return `0.4`, `12.5`, `180`, `12k`."""
    if value is None:
        return NOTHING
    return f"{value:.1f}" if value < 99.95 else count_text(value)  # noqa: PLR2004 - three digits


def time_text(seconds: float | None) -> str:
    """Return `45s`, `12m05s`, `3h12m`, `4d03h`."""
    if seconds is None:
        return NOTHING
    whole = int(max(0, seconds))
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02}s"
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02}m"
    return f"{whole // DAY}d{whole % DAY // HOUR:02}h"


def memory_text(used: int | None, limit: int | None) -> str:
    """Return `1.2/4.0 GiB`, or `25/640 MiB` where both are small."""
    if used is None:
        return NOTHING
    unit, name = (2**30, "GiB") if max(used, limit or 0) >= 2**30 else (2**20, "MiB")
    shown = [one / unit for one in (used, *([limit] if limit else []))]
    texts = [f"{one:.1f}" if name == "GiB" else f"{one:.0f}" for one in shown]
    return f"{'/'.join(texts)} {name}"


def unit_text(value: float | None, unit: str) -> str:
    """Return `45 C`."""
    return NOTHING if value is None else f"{value:.0f} {unit}"


def done_text(done: float, total: float, unit: str) -> str:
    """Return `3 of 12 steps`, `1.2 of 4.0 GB`; nothing where nothing can be counted."""
    if total <= 0:
        return ""
    share = f"{100 * min(1.0, done / total):.0f}%"
    if unit != "bytes":
        return f"{share}  {done:.0f} of {total:.0f} {plain(unit)}"
    size, name = (1e9, "GB") if total >= 1e9 else (1e6, "MB")  # noqa: PLR2004 - a GB
    return f"{share}  {done / size:.1f} of {total / size:.1f} {name}"


def table(columns: Sequence[Column], rows: Sequence[Cells | Line], width: int) -> tuple[Line, ...]:
    """Lay rows out in `width` columns: what is worth least is left out whole, nothing is cut.

    A row that is a line already stands as it is, over all columns. Where the columns that never
    go are too wide, the first one is shortened.
    """
    body = [row for row in rows if _is_cells(row)]
    kept = list(range(len(columns)))
    widths = [
        max(wide(one) for one in (column.head, *(plain(row[at]) for row in body)))
        for at, column in enumerate(columns)
    ]
    while (over := _total([widths[at] for at in kept]) - width) > 0:
        least = min(kept, key=lambda at: columns[at].worth)
        if columns[least].worth >= 9:  # noqa: PLR2004 - these never go
            widths[kept[0]] = max(1, widths[kept[0]] - over)
            break
        kept.remove(least)
    head = _row([column.head for column in columns], columns, kept, widths)
    lines: list[Line] = [tuple((text, "head" if text.strip() else "") for text, _ in head)]
    for row in rows:
        if _is_line(row):
            lines.append(row)
        elif _is_cells(row):
            lines.append(_row(row, columns, kept, widths))
    return tuple(lines)


def _is_line(row: Cells | Line) -> TypeGuard[Line]:
    return bool(row) and not isinstance(row[0], str)


def _is_cells(row: Cells | Line) -> TypeGuard[Cells]:
    return not _is_line(row)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _row(
    cells: Sequence[str], columns: Sequence[Column], kept: Sequence[int], widths: Sequence[int]
) -> Line:
    pieces: list[tuple[str, Mark]] = []
    for at in kept:
        text = shortened(cells[at], widths[at])
        blank = " " * (widths[at] - wide(text))
        before, after = (blank, "") if columns[at].right else ("", blank)
        if at == kept[-1]:
            after = ""
        if pieces:
            before = GAP + before
        if before:
            pieces.append((before, ""))
        pieces.append((text, columns[at].mark))
        if after:
            pieces.append((after, ""))
    return tuple(pieces)
