# SPDX-License-Identifier: Apache-2.0
"""What is known of one fetched catalog, as it is written beside it with a digest of itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

PROOF = "proof"


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


def record_text(record: Record) -> str:
    """Return a record as it is written; `read_record` makes the same one of it."""
    said = asdict(record)
    return json.dumps({**said, PROOF: _proof(said)}, indent=2) + "\n"


def read_record(data: bytes) -> Record:
    """Return the record that was written.

    Raises:
        ValueError: It is none, or a byte of it has become another.
        RecursionError: It is nested without an end.
    """
    said = json.loads(data)
    types = {field.name: int if str(field.type) == "int" else str for field in fields(Record)}
    if not isinstance(said, dict) or said.pop(PROOF, None) != _proof(said):
        raise ValueError
    if set(said) != set(types) or any(type(said[name]) is not kind for name, kind in types.items()):
        raise ValueError
    sha256 = said["sha256"]
    if len(sha256) != len(hashlib.sha256().hexdigest()) or set(sha256) - set("0123456789abcdef"):
        raise ValueError
    return Record(**said)


def _proof(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode("ascii")).hexdigest()
