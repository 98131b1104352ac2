# SPDX-License-Identifier: Apache-2.0
"""What is shown of a lock. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSummary:
    """The part of a lock that says what a stack is; nothing in here is opened or run."""

    model: str
    device: str
    port: int
    reason: str
    """Why this model and no other."""
    tls: str = ""
    """Whose certificate its gateway shows; empty where it is not encrypted."""
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty where it was validated."""
