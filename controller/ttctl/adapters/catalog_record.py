# SPDX-License-Identifier: Apache-2.0
"""What is known of one fetched catalog, as it is written beside it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of one fetched catalog."""

    source: str
    """Address without a login, or absolute path: what was asked for."""
    release: str
    sha256: str
    size_bytes: int
    etag: str
    fetched_s: int
    """Seconds since 1970 when its bytes came."""
    confirmed_s: int
    """Seconds since 1970 when the source last said that these are its bytes."""


def read_record(data: object) -> Record:
    """Return the record that was written.

    Raises:
        ValueError: It is none.
    """
    types = {field.name: int if str(field.type) == "int" else str for field in fields(Record)}
    if not isinstance(data, dict) or set(data) != set(types):
        raise ValueError
    if any(type(data[name]) is not kind for name, kind in types.items()):
        raise ValueError
    sha256 = data["sha256"]
    if len(sha256) != len(hashlib.sha256().hexdigest()) or set(sha256) - set("0123456789abcdef"):
        raise ValueError
    return Record(**data)
