# SPDX-License-Identifier: Apache-2.0
"""Do equal things have equal names, and different ones different names?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ttctl.rules import fingerprint

FILES = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)


@given(FILES, st.randoms())
def test_the_order_of_files_is_no_matter(files: dict[str, str], chance: Any) -> None:  # noqa: ANN401
    shuffled = list(files.items())
    chance.shuffle(shuffled)
    assert fingerprint.of_files(dict(shuffled)) == fingerprint.of_files(files)


@given(FILES, FILES)
def test_different_files_have_different_names(one: dict[str, str], two: dict[str, str]) -> None:
    assume(one != two)
    assert fingerprint.of_files(one) != fingerprint.of_files(two)


def test_what_moves_from_one_file_to_another_is_seen() -> None:
    assert fingerprint.of_files({"ab": "c"}) != fingerprint.of_files({"a": "bc"})


IMAGE: dict[str, Any] = {
    "dockerfile": "FROM x\n",
    "files": [("a", "1", False), ("b", "2", True)],
    "parent_fingerprint": "0" * 64,
}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"dockerfile": "FROM x"}, id="text"),
        pytest.param({"files": [("a", "9", False), ("b", "2", True)]}, id="a file's text"),
        pytest.param({"files": [("a", "1", True), ("b", "2", True)]}, id="a file's mode"),
        pytest.param({"files": [("c", "1", False), ("b", "2", True)]}, id="a file's name"),
        pytest.param({"files": [("a", "1", False)]}, id="a file less"),
        pytest.param({"parent_fingerprint": "1" * 64}, id="parent"),
    ],
)
def test_an_images_name_changes_with_everything_that_it_is_made_of(change: dict[str, Any]) -> None:
    assert fingerprint.of_image(**(IMAGE | change)) != fingerprint.of_image(**IMAGE)


def test_an_images_name_does_not_change_with_the_order_of_its_files() -> None:
    turned = IMAGE | {"files": list(reversed(IMAGE["files"]))}
    assert fingerprint.of_image(**turned) == fingerprint.of_image(**IMAGE)


def test_the_names_are_the_same_in_every_version() -> None:
    # A stored lock and a built image would otherwise be thrown away by an upgrade.
    assert fingerprint.of_json({"b": [1, "\u00e9"], "a": None}) == (
        "a44633ba036df25280e4fd9ef09da6f54dfe6d3611c755e31f993ab16f108f34"
    )
