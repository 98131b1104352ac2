# SPDX-License-Identifier: Apache-2.0
"""What operations ask of a clock."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time that only goes forward, and the time of day."""

    def now(self) -> float:
        """Return seconds since some moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def epoch(self) -> int:
        """Return seconds since 1970, which the gateways of this machine compare with."""
