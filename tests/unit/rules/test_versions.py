# SPDX-License-Identifier: Apache-2.0
"""Are versions compared by their numbers, however they are written?"""

from __future__ import annotations

import pytest

from ttctl.rules.versions import at_least, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("v2.26.1-4", (2, 26, 1)),
        ("github.com/docker/buildx 0.13.1+ds1 0.13.1", (0, 13, 1)),
        ("dev", ()),
        ("", ()),
    ],
)
def test_the_first_dotted_number_is_the_version(text: str, found: tuple[int, ...]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "minimum", "enough"),
    [
        ("20.10.24", "20.10", True),
        ("20.10", "20.10.0", True),
        ("19.3.15", "20.10", False),
        ("2.9.0", "2.19", False),
        ("v2.19", "2.19", True),
        ("dev", "0.1", False),
    ],
)
def test_a_version_is_enough_or_not_and_one_without_a_number_is_not(
    text: str, minimum: str, *, enough: bool
) -> None:
    assert at_least(text, minimum) is enough
