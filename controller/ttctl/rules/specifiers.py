# SPDX-License-Identifier: Apache-2.0
"""Does a release number satisfy a PEP 440 specifier set? Pure.

Release numbers of any length only: firmware bundles and drivers have no pre-releases that upstream
asks for. What is not understood is refused and never passes.

Source: https://peps.python.org/pep-0440/#version-specifiers
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_RELEASE = r"v?([0-9]{1,18}(?:\.[0-9]{1,18}){0,31})"
_VERSION = re.compile(_RELEASE)
_CLAUSE = re.compile(rf"(~=|==|!=|<=|>=|<|>)\s*{_RELEASE}(\.\*)?")
LEGACY_MAJOR = 80
"""Bundles were numbered 80.MAJOR.MINOR.PATCH up to 80.18.1; the next one was 18.2.0.

Source: https://github.com/tenstorrent/tt-flash/pull/66 (80.X.Y.Z is read as X.Y.Z.0) and
https://github.com/tenstorrent/tt-flash/issues/27 (18.2.0 dropped the 80)
"""

Release = tuple[int, ...]


class NotUnderstoodError(BadFileError):
    """A version or a specifier is none that is understood here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One clause of a set."""

    operator: str
    release: Release
    prefix: bool
    """Whether it ends in `.*`."""

    def holds(self, found: Release) -> bool:
        """Return whether a release satisfies it."""
        if self.operator in {"==", "!="}:
            return self._equal(found) == (self.operator == "==")
        order = _order(found, self.release)
        if self.operator == "~=":
            stem = Clause(operator="==", release=self.release[:-1], prefix=True)
            return order >= 0 and stem.holds(found)
        if order == 0:
            return "=" in self.operator
        return (order > 0) == self.operator.startswith(">")

    def _equal(self, found: Release) -> bool:
        if self.prefix:
            return _padded(found, len(self.release))[: len(self.release)] == self.release
        return _order(found, self.release) == 0

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.operator}{dotted(self.release)}{'.*' if self.prefix else ''}"


def clauses(text: str) -> tuple[Clause, ...]:
    """Read a specifier set; an empty text asks for nothing.

    Raises:
        NotUnderstoodError: A clause of it is none of release numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    found = [_clause(part, text) for part in parts if part]
    if text.strip() and not found:
        raise _not_understood("specifier", text)
    return tuple(found)


def release(text: str) -> Release:
    """Read a release number, `19.15.0.0`.

    Raises:
        NotUnderstoodError: It is none.
    """
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise _not_understood("version", text)
    return _numbers(match[1])


def contains(specifier: str, version: str) -> bool:
    """Return whether `version` satisfies every clause of `specifier`.

    Raises:
        NotUnderstoodError: One of them is not understood.
    """
    found = release(version)
    return all(clause.holds(found) for clause in clauses(specifier))


def firmware_satisfies(specifier: str, version: str) -> bool:
    """Return whether a firmware bundle satisfies `specifier`, as the two numberings follow.

    Raises:
        NotUnderstoodError: One of them is not understood.
    """
    found = bundle_order(release(version))
    wanted = (replace(one, release=bundle_order(one.release)) for one in clauses(specifier))
    return all(clause.holds(found) for clause in wanted)


def bundle_order(numbers: Release) -> Release:
    """Return a bundle's number as the newer numbering has it: 80.17.0.0 is (17, 0, 0).

    A higher major number is no bundle's: what is read from an empty flash, and the oldest.

    Source: https://github.com/tenstorrent/tt-umd, device/api/umd/device/utils/semver.hpp,
    compare_firmware_bundle (majors from 80 on are the oldest)
    """
    major = next(iter(numbers), 0)
    if major == LEGACY_MAJOR and len(numbers) > 1:
        return numbers[1:]
    return (0, *numbers[1:]) if major >= LEGACY_MAJOR else numbers


def together(specifiers: Iterable[str]) -> str:
    """Return one set that asks for all; of several `>=` the highest stays.

    Raises:
        NotUnderstoodError: One of them is not understood.
    """
    every = list(dict.fromkeys(clause for text in specifiers for clause in clauses(text)))
    floors = [clause for clause in every if clause.operator == ">="]
    highest = _highest(floors)
    kept = [clause for clause in every if clause.operator != ">=" or clause is highest]
    return ",".join(sorted(map(str, kept), key=_floor_first))


def lowest(specifier: str) -> str:
    """Return the lowest release that satisfies a set, empty where none does.

    Releases are dense: where the lowest is not a boundary itself, one just above it is returned.

    Raises:
        NotUnderstoodError: It is not understood.
    """
    wanted = clauses(specifier)
    edges = {(0,), *(edge for clause in wanted for edge in _edges(clause))}
    length = max(len(edge) for edge in edges)
    above = {(*_padded(edge, length), 1) for edge in edges}
    for candidate in sorted(edges | above, key=lambda one: _padded(one, length + 1)):
        if all(clause.holds(candidate) for clause in wanted):
            return dotted(candidate)
    return ""


def dotted(numbers: Sequence[int]) -> str:
    """Return a release number's text."""
    return ".".join(map(str, numbers))


def _clause(part: str, whole: str) -> Clause:
    match = _CLAUSE.fullmatch(part)
    if match is None:
        raise _not_understood("specifier", whole)
    operator, numbers, star = match[1], _numbers(match[2]), bool(match[3])
    alone = operator == "~=" and len(numbers) == 1
    if alone or (star and operator not in {"==", "!="}):
        raise _not_understood("specifier", whole)
    return Clause(operator=operator, release=numbers, prefix=star)


def _edges(clause: Clause) -> tuple[Release, ...]:
    """Return where a clause begins or ceases to hold."""
    stem = clause.release[:-1] if clause.operator == "~=" else clause.release
    if clause.prefix or clause.operator == "~=":
        return clause.release, (*stem[:-1], stem[-1] + 1)
    return (clause.release,)


def _highest(floors: Sequence[Clause]) -> Clause | None:
    if not floors:
        return None
    length = max(len(one.release) for one in floors)
    return max(floors, key=lambda one: _padded(one.release, length))


def _floor_first(text: str) -> tuple[bool, str]:
    return not text.startswith(">="), text


def _order(left: Release, right: Release) -> int:
    length = max(len(left), len(right))
    one, other = _padded(left, length), _padded(right, length)
    return (one > other) - (one < other)


def _padded(numbers: Release, length: int) -> Release:
    return numbers + (0,) * (length - len(numbers))


def _numbers(text: str) -> Release:
    return tuple(int(part) for part in text.split("."))


def _not_understood(what: str, text: str) -> NotUnderstoodError:
    return NotUnderstoodError(
        f"The {what} {text[:80]!r} is not understood.",
        why="A release number such as 19.2.0 is, and a set such as >=19.2.0,<20 of such numbers.",
        evidence=f"Found: {text[:80]!r}.",
        next_step="ttctl devices info",
    )
