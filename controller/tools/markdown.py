# SPDX-License-Identifier: Apache-2.0
"""Write a row of a table in Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def row(cells: Iterable[str]) -> str:
    """Return one line; no cell ends its row or its column."""
    texts = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(texts)} |"
