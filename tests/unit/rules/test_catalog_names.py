# SPDX-License-Identifier: Apache-2.0
"""Is a word the catalog that its writer meant, and a copy as young as it is?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.errors import UsageError
from ttctl.rules.catalog_names import (
    YOUNG_S,
    age_text,
    catalog_name,
    is_below,
    is_young,
    without_login,
)


@pytest.mark.parametrize(
    ("text", "by", "value"),
    [
        ("built-in", "built-in", "built-in"),
        ("0.19.0", "release", "0.19.0"),
        ("v0.19.0", "release", "0.19.0"),
        ("./0.19.0", "file", "./0.19.0"),
        ("https://m.example.org/a.json", "url", "https://m.example.org/a.json"),
        ("HTTPS://m.example.org/", "url", "HTTPS://m.example.org/"),
        ("specs.json", "file", "specs.json"),
        (" 0.19.0 ", "release", "0.19.0"),
        ("0.19", "file", "0.19"),
    ],
)
def test_a_catalog_is_named_by_a_word_a_release_an_address_or_a_file(
    text: str, by: str, value: str
) -> None:
    found = catalog_name(text)
    assert (found.by, found.value) == (by, value)


@pytest.mark.parametrize("text", ["", "  ", "ftp://m.example.org/a", "https://", "a\0b"])
def test_what_names_no_catalog_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(UsageError, match="names no catalog") as refused:
        catalog_name(text)
    assert "release" in refused.value.why


@given(text=st.text())
def test_any_text_is_a_name_or_a_refusal(text: str) -> None:
    try:
        assert catalog_name(text).value
    except UsageError as refused:
        assert refused.message  # noqa: PT017 - either way is right, and each is looked at


def test_the_age_of_a_copy_decides_and_a_clock_that_went_back_makes_none_young() -> None:
    assert is_young(1000, 1000)
    assert is_young(1000, 1000 + YOUNG_S - 1)
    assert not is_young(1000, 1000 + YOUNG_S)
    assert not is_young(1000, 999)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 minute"),
        (7199, "1 hour"),
        (7200, "2 hours"),
        (86400 * 3, "3 days"),
    ],
)
def test_an_age_is_said_in_its_largest_whole_unit(seconds: float, said: str) -> None:
    assert age_text(seconds) == said


def test_releases_are_compared_by_number_and_not_by_letter() -> None:
    assert is_below("0.9.0", "0.11.0")
    assert is_below("0.10.1", "0.11.0")
    assert not is_below("0.11.0", "0.11.0")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://me:pw@h.example.org/x", "https://h.example.org/x"),
        ("https://h.example.org/x?token=abc", "https://h.example.org/x?token=***"),
        ("https://h.example.org/a@b", "https://***@b"),
    ],
)
def test_an_address_is_kept_without_what_is_secret(address: str, kept: str) -> None:
    assert without_login(address) == kept
