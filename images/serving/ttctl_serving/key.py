# SPDX-License-Identifier: Apache-2.0
"""The key of the server's door: read from a file, compared in constant time."""

from __future__ import annotations

import hmac
import os
from pathlib import Path

KEY_FILE = "TTCTL_KEY_FILE"
"""Names the file that holds the key; its text is in no argument and no environment."""


def read_key() -> bytes:
    """Return the key, empty where no file is named: then the gateway is the one who asks for it.

    Raises:
        SystemExit: The file that is named cannot be read, or is empty.
    """
    file = os.environ.get(KEY_FILE, "")
    if not file:
        return b""
    try:
        key = Path(file).read_bytes().strip()
    except OSError as exc:
        raise SystemExit(f"ttctl: error: the key's file cannot be read: {exc.strerror}") from exc
    if not key:
        raise SystemExit("ttctl: error: the key's file is empty")
    return key


def opens(authorization: bytes, key: bytes) -> bool:
    """Return whether a request's `Authorization` holds the key, or none is asked for."""
    return not key or hmac.compare_digest(authorization, b"Bearer " + key)
