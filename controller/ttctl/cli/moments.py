# SPDX-License-Identifier: Apache-2.0
"""Read a moment as docker's `--since` writes it."""

from __future__ import annotations

import re
from datetime import datetime

from ttctl.errors import UsageError

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def moment(text: str, *, now: float) -> int:
    """Return Unix seconds for `10m`, `1h30m`, `2026-01-31T10:00:00` or plain Unix seconds.

    Raises:
        UsageError: It is none of these.
    """
    if re.fullmatch(r"(\d+[smhd])+", text):
        parts = re.findall(r"(\d+)([smhd])", text)
        return int(now) - sum(int(count) * UNITS_S[unit] for count, unit in parts)
    if re.fullmatch(r"\d{1,12}", text):
        return int(text)
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError as exc:
        raise UsageError(
            f"{text!r} is no moment.",
            why="--since takes a length of time, a date, or Unix seconds.",
            evidence="For example 10m, 1h30m, 2026-01-31T10:00:00.",
            next_step="ttctl logs --since 10m",
        ) from exc
