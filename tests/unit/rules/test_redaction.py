# SPDX-License-Identifier: Apache-2.0
"""Is nothing shown of an address that opens a door?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.rules.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(
            "http://me:secret@h.example.org:1", "http://***@h.example.org:1", id="password"
        ),
        pytest.param("https://tok@h.example.org/x", "https://***@h.example.org/x", id="token"),
        pytest.param(
            "http://me:a/b@c@h.example.org:1", "http://***@h.example.org:1", id="odd password"
        ),
        pytest.param("me:secret@proxy:3128", "***@proxy:3128", id="no scheme"),
        pytest.param(
            "deb http://me:secret@h/debian bookworm main",
            "deb http://***@h/debian bookworm main",
            id="a line",
        ),
        pytest.param(
            "https://h/x?a=1&access_token=s&b=2", "https://h/x?a=1&access_token=***&b=2", id="query"
        ),
        pytest.param("https://h/?X-Sig=s", "https://h/?X-Sig=***", id="signature"),
        pytest.param("https://h:8080/a@b", "https://***@b", id="in doubt too much"),
        pytest.param(
            "h.example.org:5000/x:1@sha256:ab", "h.example.org:5000/x:1@sha256:ab", id="image"
        ),
        pytest.param("debian:bookworm@sha256:ab", "debian:bookworm@sha256:ab", id="short image"),
        pytest.param(
            "localhost,10.0.0.0/8,.example.org", "localhost,10.0.0.0/8,.example.org", id="no proxy"
        ),
        pytest.param("/srv/wheels", "/srv/wheels", id="folder"),
    ],
)
def test_credentials_are_hidden_and_what_has_none_stays(text: str, shown: str) -> None:
    assert redacted(text) == shown


@given(
    user=st.text("abcXYZ09._~%-", min_size=1),
    password=st.from_regex(
        r"[a-z0-9!$&'()*+,;=:@%/._~-]{0,20}hidden[a-z0-9!$:@%/._~-]{0,20}", fullmatch=True
    ),
)
def test_no_password_survives(user: str, password: str) -> None:
    assert "hidden" not in redacted(f"http://{user}:{password}@proxy.example.org:3128/")
