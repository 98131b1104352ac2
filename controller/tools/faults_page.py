# SPDX-License-Identifier: Apache-2.0
"""The page of what faults do to ttctl: written, and put together of several runs. Pure."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from tools.markdown import row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

HEAD = """# What faults do to ttctl

Written by `make faults`. Each test does the fault on a real container engine and holds what is left
against what an uninterrupted run leaves. `make test` does a part of each within minutes; here is
the whole, one file of `tests/faults` after the other. Seconds are of one machine, shared with
others: what they are compared with was measured in the same test.
"""
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one file of tests did. Every field is a column."""

    file: str
    """Without `test_` and `.py`."""
    result: str
    rounds: str
    """`all`, or `at most 40`: how often each fault was done."""
    minutes: str
    date: str
    """`2026-01-31`."""
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured. Every field is a column."""

    scenario: str
    what: str
    value: str
    result: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All rows of both tables."""

    runs: tuple[Run, ...] = ()
    figures: tuple[Figure, ...] = ()

    def having(self, newer: Page) -> Page:
        """Return the page with newer rows in the place of all rows of their files."""
        kept = self.only({one.file for one in self.runs} - {one.file for one in newer.runs})
        return Page(runs=kept.runs + newer.runs, figures=kept.figures + newer.figures)

    def only(self, files: Collection[str]) -> Page:
        """Return the rows of these files."""
        return Page(
            runs=tuple(one for one in self.runs if one.file in files),
            figures=tuple(one for one in self.figures if one.file in files),
        )


_Kind = TypeVar("_Kind", Run, Figure)


def page(rows: Page, files: Collection[str] = ()) -> str:
    """Return the text: the runs by their files, the figures in the order of the scenarios.

    Args:
        rows: What was measured.
        files: Every file that there is; those without a run are named.
    """
    runs = sorted(rows.runs, key=lambda one: one.file)
    missing = sorted(set(files) - {one.file for one in runs})
    parts = [HEAD, _table(Run, runs)]
    parts += [f"Not yet run in whole: {', '.join(missing)}.\n"] if missing else []
    return "\n".join([*parts, _table(Figure, sorted(rows.figures, key=_order))])


def read(text: str) -> Page:
    """Return the rows of a page that `page` wrote; none of a text that it did not write."""
    rows = [
        [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| ---")
    ]
    return Page(runs=tuple(_of(Run, rows)), figures=tuple(_of(Figure, rows)))


def _of(kind: type[_Kind], rows: Iterable[Sequence[str]]) -> Iterator[_Kind]:
    """Yield the rows of one of the tables, which is told by its columns."""
    names = [one.name for one in fields(kind)]
    for cells in rows:
        if len(cells) == len(names) and list(cells) != names:
            yield kind(**dict(zip(names, cells, strict=True)))


def _table(kind: type[Run | Figure], rows: Iterable[Run | Figure]) -> str:
    names = [one.name for one in fields(kind)]
    lines = [row(names), row("---" for _ in names), *(row(astuple(one)) for one in rows)]
    return "\n".join(lines) + "\n"


def _order(one: Figure) -> tuple[bool, int, str]:
    number = one.scenario.removeprefix("R")
    return (not one.scenario, int(number) if number.isdecimal() else 99, one.scenario)
