# SPDX-License-Identifier: Apache-2.0
"""Lay rows out in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ttctl.cli.palette import Palette

PLAIN = Palette(0)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], palette: Palette = PLAIN) -> str:
    """Return a table whose columns are as wide as they must be; no trailing blanks.

    A cell that begins with a word for a state gets the state's colour.
    """
    body = [tuple(row) for row in rows]
    widths = [max(len(row[at]) for row in (tuple(head), *body)) for at in range(len(head))]
    lines = [palette.paint(_line(head, widths), "head")]
    for row in body:
        padded = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        padded[-1] = row[-1]
        lines.append("  ".join(palette.state(cell) for cell in padded).rstrip())
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
