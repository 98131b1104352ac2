# SPDX-License-Identifier: Apache-2.0
"""Lay out what moved between two catalogs, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.cli.model_text import origin_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.catalog import CatalogDiff, EntryMoved, FieldMoved

COLUMNS = ("MOVE", "MODEL", "DEVICE", "ENTRY", "WHAT")
Row = tuple[str, str, str, str, str]


def diff_rows(diff: CatalogDiff) -> list[Row]:
    """Return a row for each fact that moved: a device may have two entries of one model."""
    return [row for one in diff.moved for row in _rows(one)]


def diff_head(diff: CatalogDiff) -> str:
    """Say what was compared, and how much of it moved."""
    counts = dict.fromkeys(("added", "removed", "changed"), 0)
    for one in diff.moved:
        counts[one.move] += 1
    said = ", ".join(f"{count} {move}" for move, count in counts.items())
    return (
        f"from {origin_text(diff.before).removeprefix('catalog: ')}\n"
        f"to   {origin_text(diff.after).removeprefix('catalog: ')}\n"
        f"{said}, {diff.same} alike"
    )


def _rows(one: EntryMoved) -> Iterator[Row]:
    name = one.model.rpartition("/")[2]
    entry = f"{one.engine} {one.implementation}".strip()
    for said in [_field_text(field) for field in one.fields] or [""]:
        yield one.move, name, one.device, entry, said


def _field_text(field: FieldMoved) -> str:
    """Say what a fact was and is; images without their registry, which would fill the screen."""
    sides = (field.before or "-", field.after or "-")
    short = (sides[0].rpartition("/")[2], sides[1].rpartition("/")[2])
    if field.name == "image" and short[0] != short[1]:
        sides = short
    return f"{field.name}: {sides[0]} -> {sides[1]}"
