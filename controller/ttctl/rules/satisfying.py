# SPDX-License-Identifier: Apache-2.0
"""Does a version satisfy a specifier, as far as that can be told? Pure."""

from __future__ import annotations

import re
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING

from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from collections.abc import Callable

_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)\s*")
_COMPARE: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": ge, "<=": le, "==": eq, "!=": ne, ">": gt, "<": lt,
}  # fmt: skip


def satisfies(version: str, specifier: str) -> bool | None:
    """Return whether every clause of a PEP 440 specifier holds; None where it cannot be told."""
    found = numbers(version)
    clauses = [_CLAUSE.fullmatch(part) for part in specifier.split(",")]
    if not found or None in clauses:
        return None
    return all(_holds(found, clause) for clause in clauses if clause is not None)


def _holds(found: tuple[int, ...], clause: re.Match[str]) -> bool:
    wanted = numbers(clause[2])
    length = max(len(found), len(wanted))
    zeros = [one + (0,) * (length - len(one)) for one in (found, wanted)]
    return _COMPARE[clause[1]](zeros[0], zeros[1])
