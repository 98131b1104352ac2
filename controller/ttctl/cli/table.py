# SPDX-License-Identifier: Apache-2.0
"""Lay rows out in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose columns are as wide as they must be; no trailing blanks."""
    everything = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in everything) for column in range(len(head))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in everything
    )
