# SPDX-License-Identifier: Apache-2.0
"""Pass on what a child prints as it comes, and keep out why Docker could not run it."""

from __future__ import annotations

import os
import sys

from ttctl.rules.fatal import NOT_RUN

CHUNK_BYTES = 1 << 16
REFUSAL_BYTES = 4096
"""Longer than any refusal of Docker: what has more is a command's own output."""


def passed_on(source: int) -> bytes:
    """Write what is read from `source` to stdout as it comes; return what may be a refusal."""
    kept = chunk = os.read(source, CHUNK_BYTES)
    while chunk and kept.startswith(NOT_RUN.encode()) and len(kept) <= REFUSAL_BYTES:
        chunk = os.read(source, CHUNK_BYTES)
        kept += chunk
    if not chunk:
        return kept
    write(kept)
    while chunk := os.read(source, CHUNK_BYTES):
        write(chunk)
    return b""


def write(text: bytes) -> None:
    """Write to stdout at once."""
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()
