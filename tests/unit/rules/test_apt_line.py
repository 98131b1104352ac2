# SPDX-License-Identifier: Apache-2.0
"""Is the address of a package source found beside its options?"""

from __future__ import annotations

import pytest

from ttctl.rules.apt_line import uri_and_suite


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("deb https://a/d bookworm main", ("https://a/d", "bookworm"), id="plain"),
        pytest.param("deb\thttps://a/d  bookworm", ("https://a/d", "bookworm"), id="blanks"),
        pytest.param(
            "deb [ arch=amd64 signed-by=/k ] https://a/d bookworm main",
            ("https://a/d", "bookworm"),
            id="options",
        ),
        pytest.param("deb-src https://a/d bookworm main", ("", ""), id="sources"),
        pytest.param("# deb https://a/d bookworm", ("", ""), id="a comment"),
        pytest.param("deb https://a/d", ("", ""), id="half a line"),
        pytest.param("", ("", ""), id="nothing"),
    ],
)
def test_address_and_suite_are_read(line: str, expected: tuple[str, str]) -> None:
    assert uri_and_suite(line) == expected
