# SPDX-License-Identifier: Apache-2.0
"""What two minutes of trying a running stack found. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.acceptance import Outcome, TierRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One thing that was tried."""

    name: str
    outcome: Outcome
    seconds: float
    why: str
    """Why it did not pass; empty where it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was tried of a stack's own model, and how it came out."""

    looked: tuple[Tried, ...]
    tiers: tuple[TierRun, ...] = ()
    """One of the speeds that its entry names, measured; none where it names none."""
    mind: str = ""
    """Why no speed was measured; empty where one was."""

    @property
    def failed(self) -> bool:
        """Whether something does not work; slower than a target is no failure."""
        return any(one.outcome == "failed" for one in self.looked)
