# SPDX-License-Identifier: Apache-2.0
"""What is piped into a verb that also takes words."""

from __future__ import annotations

import os
import stat
import sys

from ttctl.errors import UsageError

LARGEST_INPUT = 4 << 20
"""Bytes of standard input that are read: more than any model takes."""


def is_piped() -> bool:
    """Return whether standard input is a file or a pipe: nobody else is waited for."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def piped(*, next_step: str) -> str:
    """Return what is piped in.

    Raises:
        UsageError: It is too long; `next_step` is what to type then.
    """
    raw = sys.stdin.buffer.read(LARGEST_INPUT + 1) if sys.stdin else b""
    if len(raw) > LARGEST_INPUT:
        raise UsageError(
            "What is piped in is too long.",
            why=f"At most {LARGEST_INPUT >> 20} MiB are read: no model takes more.",
            next_step=next_step,
        )
    return raw.decode(errors="replace")
