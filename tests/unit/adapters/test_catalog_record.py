# SPDX-License-Identifier: Apache-2.0
"""Is what was written beside a catalog read back, and nothing else taken for it?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from ttctl.adapters.catalog_record import Record, read_record, record_text

WHOLE = Record(
    source="https://example.org/a.json",
    release="0.20.0",
    sha256="0" * 64,
    size_bytes=1,
    etag="",
    fetched_s=1,
    confirmed_s=2,
)


def proven(said: object) -> bytes:
    """Return what somebody wrote who knows how a record is proven."""
    if isinstance(said, dict):
        proof = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        said = {**said, "proof": proof}
    return json.dumps(said).encode()


def test_a_record_is_read_as_it_was_written() -> None:
    assert read_record(record_text(WHOLE).encode()) == WHOLE
    strange = replace(WHOLE, source="/home/\udcff/é.json")
    assert read_record(record_text(strange).encode()) == strange


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 63},
        {"sha256": "Z" * 64},
        {"size_bytes": "1"},
        {"fetched_s": True},
        {"a": 1},
    ],
    ids=repr,
)
def test_what_is_no_record_is_refused(changes: dict[str, Any]) -> None:
    assert read_record(proven(asdict(WHOLE))) == WHOLE
    with pytest.raises(ValueError, match=r"^$"):
        read_record(proven(asdict(WHOLE) | changes))
    with pytest.raises(ValueError, match=r"^$"):
        read_record(proven(None))


def test_a_record_of_which_any_bit_is_another_is_none() -> None:
    whole = record_text(WHOLE).encode()
    for at in range(len(whole)):
        for bit in range(8):
            flipped = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            try:
                found = read_record(flipped)
            except ValueError:
                continue
            # A blank between two values may be another one.
            assert whole[at : at + 1].isspace()
            assert found == WHOLE
