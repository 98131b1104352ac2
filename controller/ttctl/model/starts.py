# SPDX-License-Identifier: Apache-2.0
"""How long starts took here, and what operations ask of whoever keeps that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A start that is under way."""

    key: str
    """Model, device and pins; see `rules/usual_start.py`."""
    first: bool
    """Whether the engine's cache was empty: such a start converts and compiles everything."""
    at: float
    """When its containers were started, by the world's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A start that ended with an engine that answers."""

    key: str
    first: bool
    seconds: float


class Starts(Protocol):
    """How long earlier starts took."""

    def earlier(self) -> tuple[Started, ...]:
        """Return what is kept, the oldest first; nothing where it cannot be read."""

    def keep(self, started: Started) -> None:
        """Keep one more.

        Raises:
            TtctlError: It cannot be written.
        """
