# SPDX-License-Identifier: Apache-2.0
"""Is it said where a catalog is from, how old it is, and why it is not newer?"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from ttctl.adapters.catalog_origin import origin_of_file, origin_of_record
from ttctl.adapters.catalog_record import Record
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from pathlib import Path

RECORD = Record(
    source="https://example.org/a.json",
    release="0.20.0",
    sha256="0" * 64,
    size_bytes=1,
    etag="",
    fetched_s=86_400,
    confirmed_s=90_000,
)


def test_a_stored_catalog_has_the_day_it_came_and_the_age_of_the_last_answer() -> None:
    found = origin_of_record(RECORD, now_s=90_060.5)
    assert (found.date, found.age_s, found.note) == ("1970-01-02", 60, "")
    assert origin_of_record(RECORD, now_s=0).age_s == 0


def test_a_copy_that_could_not_be_asked_for_again_says_why_in_one_line() -> None:
    failure = TtctlError("It does not answer.", evidence="one\ntwo")
    note = origin_of_record(RECORD, now_s=0, failure=failure).note
    assert note == "It does not answer. one two The last good copy is used."


def test_a_file_is_not_believed_what_it_says_of_its_release(tmp_path: Path) -> None:
    head = b'{"release_version": "0.12.0"'
    path = tmp_path / "a.json"
    path.write_bytes(head)
    os.utime(path, (86_400, 86_400))
    found = origin_of_file(path, head)
    assert (found.release, found.source, found.date) == ("", str(path), "1970-01-02")
    assert found.sha256 == hashlib.sha256(head).hexdigest()
