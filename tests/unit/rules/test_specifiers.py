# SPDX-License-Identifier: Apache-2.0
"""Do specifier sets mean what the packaging standard says, for release numbers of any length?"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from ttctl.errors import BadFileError
from ttctl.rules.specifiers import (
    NotUnderstoodError,
    clauses,
    contains,
    firmware_satisfies,
    lowest,
    release,
    together,
)

RELEASES = st.lists(st.integers(0, 4) | st.integers(0, 99), min_size=1, max_size=5).map(
    lambda numbers: ".".join(map(str, numbers))
)
PLAIN = st.builds(
    lambda operator, space, number: f"{operator}{space}{number}",
    st.sampled_from(["==", "!=", "<=", ">=", "<", ">"]),
    st.sampled_from(["", " "]),
    RELEASES,
)
STARS = st.builds(lambda sign, number: f"{sign}{number}.*", st.sampled_from(["==", "!="]), RELEASES)
LIKE = RELEASES.filter(lambda number: "." in number).map(lambda number: f"~={number}")
SETS = st.lists(PLAIN | STARS | LIKE, max_size=4).map(", ".join)


@given(SETS, RELEASES)
def test_a_set_holds_exactly_what_packaging_says(specifier: str, version: str) -> None:
    assert contains(specifier, version) == SpecifierSet(specifier).contains(Version(version))


@given(st.lists(SETS, max_size=4), RELEASES)
def test_sets_together_hold_what_each_of_them_holds(sets: list[str], version: str) -> None:
    assert contains(together(sets), version) == all(contains(one, version) for one in sets)


@given(SETS, RELEASES)
def test_a_lowest_version_is_in_the_set_and_nothing_below_it_is(
    specifier: str, version: str
) -> None:
    found = lowest(specifier)
    if found:
        assert contains(specifier, found)
    if contains(specifier, version):
        assert found
        # Between two boundaries a set has no lowest release: then one just above it was found.
        just_above = len(release(found)) > max(
            (len(one.release) for one in clauses(specifier)), default=0
        )
        assert Version(found) <= Version(version) or just_above


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_understood_or_refused(specifier: str, version: str) -> None:
    with suppress(BadFileError):
        contains(specifier, version)


@pytest.mark.parametrize(
    ("specifier", "version", "held"),
    [
        (">=19.2.0", "19.2.0.0", True),
        (">=19.2.0", "19.15.0.0", True),
        (">=19.2.0", "19.1.9.9", False),
        ("==19.*", "19.13.1", True),
        ("~=18.6", "19.0", False),
        (">=2.1.0,<3", "2.10.0", True),
        ("", "1", True),
        (" >= 2.1.0 ,", "2.1", True),
    ],
)
def test_the_sets_that_upstream_writes_are_read(specifier: str, version: str, held: bool) -> None:  # noqa: FBT001
    assert contains(specifier, version) is held


@pytest.mark.parametrize(
    "specifier",
    [
        ",",
        "19.2",
        ">=19.2.0rc1",
        "=>19",
        "~=19",
        ">=19.*",
        "===19",
        ">=19;",
        ">=¹",
        ">=1" + "0" * 40,
    ],
)
def test_what_is_not_understood_is_refused_and_never_passes(specifier: str) -> None:
    with pytest.raises(NotUnderstoodError, match="is not understood") as caught:
        contains(specifier, "19.2.0")
    assert caught.value.exit_code == BadFileError.exit_code
    assert caught.value.next_step


@pytest.mark.parametrize("version", ["", "N/A", "19.2.0-rc1", "2.x", "1..2", "-1"])
def test_a_version_that_is_no_release_number_is_refused(version: str) -> None:
    with pytest.raises(NotUnderstoodError):
        release(version)


@pytest.mark.parametrize(
    ("version", "held"),
    [("80.18.0.0", False), ("18.8.0.0", True), ("19.13.1.0", True), ("255.255.255.255", False)],
)
def test_bundles_of_the_old_numbering_are_the_oldest(version: str, held: bool) -> None:  # noqa: FBT001
    assert firmware_satisfies(">=18.8.0", version) is held


@pytest.mark.parametrize(
    ("specifier", "version", "held"),
    [
        pytest.param(">=18.2", "80.18.1.0", False, id="the last of the old numbering"),
        pytest.param(">=18.0.0", "80.18.1.0", True, id="as the new one counts it"),
        pytest.param(">=80.17", "80.18.1.0", True, id="asked in the old numbering"),
        pytest.param(">=80.17", "18.2.0", True, id="newer than what is asked"),
        pytest.param(">=80.18", "80.17.0.0", False, id="older than what is asked"),
        pytest.param("==80.17.0.0", "80.17.0.0", True, id="the same"),
        pytest.param(">=19.2.0", "80", False, id="80 alone"),
    ],
)
def test_the_two_numberings_of_bundles_follow_one_another(
    specifier: str,
    version: str,
    held: bool,  # noqa: FBT001
) -> None:
    assert firmware_satisfies(specifier, version) is held


def test_of_several_lower_bounds_the_highest_stays() -> None:
    assert together([">=18.6.0", ">=19.2.0,<20", ">=18.8.0"]) == ">=19.2.0,<20"
    assert together([]) == ""


@pytest.mark.parametrize(
    ("specifier", "found"),
    [
        (">=19.2.0", "19.2.0"),
        (">=19,<19", ""),
        ("==18.*,>=18.6", "18.6"),
        ("!=0", "0.1"),
        ("", "0"),
    ],
)
def test_the_lowest_version_of_a_set_is_found_where_there_is_one(
    specifier: str, found: str
) -> None:
    assert lowest(specifier) == found
