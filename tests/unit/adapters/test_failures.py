# SPDX-License-Identifier: Apache-2.0
"""Is failures.toml checked before anything relies on it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.failures import FILE, read_failures
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

ROW = """schema = 1
[[failure]]
name = "disk"
pattern = "No space left"
cause = "a file system is full"
exit = 5
source = "Python"
[[state]]
name = "ended"
when = { state = "exited" }
cause = "{service} ended"
exit = 5
source = "docker"
"""


def test_what_is_shipped_can_be_read_and_has_no_name_twice() -> None:
    known = read_failures(places.catalog() / FILE)
    names = [one.name for one in (*known.failures, *known.states)]
    assert len(names) == len(set(names))
    assert {"trace-region", "board-in-use", "gated", "hugepages", "firmware"} <= set(names)


def test_a_row_is_read_with_what_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text(ROW, encoding="utf-8")
    known = read_failures(path)
    assert (known.failures[0].next_step, known.failures[0].of_card) == ("", False)
    assert (known.states[0].state, known.states[0].code) == ("exited", None)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"No space left"', '"(No space"', "pattern"),
        ("exit = 5", "exit = 42", "exit"),
        ('name = "disk"', 'name = "The Disk"', "name"),
        ('state = "exited"', 'state = "tired"', "when"),
        ('cause = "a file system is full"', "", "cause"),
        ("schema = 1", "schema = 2", "schema"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_key(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    path = tmp_path / FILE
    path.write_text(ROW.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        read_failures(path)
    assert key in caught.value.evidence
