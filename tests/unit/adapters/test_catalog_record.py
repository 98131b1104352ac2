# SPDX-License-Identifier: Apache-2.0
"""Is what was written beside a catalog read back, and nothing else taken for it?"""

from __future__ import annotations

from dataclasses import asdict

import pytest

from ttctl.adapters.catalog_record import Record, read_record

WHOLE = Record(
    source="https://example.org/a.json",
    release="0.20.0",
    sha256="0" * 64,
    size_bytes=1,
    etag="",
    fetched_s=1,
    confirmed_s=2,
)


def test_a_record_is_read_as_it_was_written() -> None:
    assert read_record(asdict(WHOLE)) == WHOLE


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
def test_what_is_no_record_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        read_record(asdict(WHOLE) | changes)
    with pytest.raises(ValueError, match=r"^$"):
        read_record(None)
