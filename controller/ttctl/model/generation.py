# SPDX-License-Identifier: Apache-2.0
"""Generations of a stack: states of it that were locked, launched and became ready. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ttctl.model.catalog import FieldMoved
    from ttctl.model.lock import Lock
    from ttctl.model.spec import Request

KEPT = 3
"""How many are kept of each stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One state of a stack that was locked, launched and became ready."""

    number: int
    """Counts up through a stack's life, and is never given to another one."""
    at: str
    """When it became ready, RFC 3339."""
    why: str
    """`up`, `upgrade`, `rollback to 2`; `found` where it was up before generations were kept."""
    request: Request
    """What it was made of, settings among it."""
    lock: Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRow:
    """What is shown of one generation."""

    number: int
    at: str
    """When it became ready, RFC 3339."""
    why: str
    model: str
    device: str
    engine: str
    pins: tuple[str, ...]
    """`COMPONENT COMMIT` of what is built from source."""
    images: tuple[str, ...]
    """References of what its containers run."""
    revision: str
    """The commit of its weights; empty for those that have none."""
    serves: bool
    """Whether this is what the stack's folder holds, and its containers run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMoved:
    """A rendered file that would be another."""

    path: str
    move: Literal["added", "removed", "changed"]
    lines: tuple[str, ...]
    """Its lines that go, each behind `-`, and those that come, behind `+`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is another between two states of a stack."""

    stack: str
    values: tuple[FieldMoved, ...] = ()
    """Values of the lock, by their keys."""
    files: tuple[FileMoved, ...] = ()
    """Rendered files, the lock left out."""

    @property
    def is_empty(self) -> bool:
        """Whether both are the same."""
        return not self.values and not self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """What an `upgrade` or a `rollback` has done."""

    stack: str
    changed: bool
    """Whether anything was done; False where all was as wanted already."""
    generation: int
    """What serves now; 0 where no generation is kept of it."""
    why: str
    difference: Difference
    url: str
    seconds: float
