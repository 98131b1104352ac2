# SPDX-License-Identifier: Apache-2.0
"""Time that only goes forward, and the day."""

from __future__ import annotations

import time


class MonotonicClock:
    """The kernel's monotonic clock."""

    def now(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def epoch(self) -> int:
        """Return seconds since 1970, which the gateways of this machine compare with."""
        return int(time.time())


def utc_day() -> str:
    """Return this day in UTC by the machine's clock, `2026-01-31`."""
    return time.strftime("%Y-%m-%d", time.gmtime())
