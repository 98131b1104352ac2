# SPDX-License-Identifier: Apache-2.0
"""Is nothing shown of an address that opens a door?"""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ttctl.rules.redaction import redacted, redacted_value

HIDDEN = "hidden7"
"""A word that stands in every secret here, and nowhere else."""

SCHEMES = st.sampled_from(["http", "https", "socks5", "ssh", "HTTP", "git+https"])
HOSTS = st.from_regex(r"[a-z]{1,8}\.example\.(org|com)(:[0-9]{2,5})?", fullmatch=True)
PATHS = st.from_regex(r"(/[a-zA-Z0-9._~%-]{0,8}){0,3}", fullmatch=True)
LOOSE = st.from_regex(r"[a-zA-Z0-9!$&'()*+,;=:@%/?._~-]{0,12}", fullmatch=True)
"""What people put into passwords, also what an address should have escaped."""
ANYTHING = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
"""Every character that can be typed: a blank, a quote, a colon."""
NAMES = st.from_regex(r"[a-zA-Z0-9._~%-]{1,10}", fullmatch=True)
KEYS = st.sampled_from(
    ["token", "access_token", "api_key", "X-Amz-Signature", "sig", "password", "client_secret",
     "X-Amz-Credential", "auth", "KEY"]
)  # fmt: skip
AROUND = st.sampled_from(
    [
        "{}",
        "Looking in indexes: {}",
        "--index-url={}",
        '{{"url": "{}"}}',
        "'{}': no answer",
        "deb [trusted=yes] {} bookworm main",
        "http://plain.example.org/ {}",
        "({})",
        "#12 0.52 fatal: unable to access '{}': 401",
    ]
)


@st.composite
def with_login(draw: st.DrawFn) -> tuple[str, str]:
    """Return an address with a secret before its host, and the host."""
    secret = f"{draw(LOOSE)}{HIDDEN}{draw(LOOSE)}"
    login = secret if draw(st.booleans()) else f"{draw(NAMES)}:{secret}"
    host = draw(HOSTS)
    return f"{draw(SCHEMES)}://{login}@{host}{draw(PATHS)}", host


@given(address=with_login(), around=AROUND)
def test_no_login_survives_in_any_text_and_the_host_does(
    address: tuple[str, str], around: str
) -> None:
    url, host = address
    shown = redacted(around.format(url))
    assert HIDDEN not in shown
    assert f"***@{host}" in shown
    assert redacted(shown) == shown


@given(
    start=st.tuples(SCHEMES, NAMES).map("://".join), before=ANYTHING, after=ANYTHING,
    host=HOSTS, around=AROUND,
)  # fmt: skip
def test_no_password_of_whatever_characters_survives(
    start: str, before: str, after: str, host: str, around: str
) -> None:
    password = f"{before}{HIDDEN}{after}"
    assume("://" not in password)
    shown = redacted(around.format(f"{start}:{password}@{host}/x"))
    assert HIDDEN not in shown
    assert f"***@{host}" in shown
    assert redacted(shown) == shown


@given(name=NAMES, before=ANYTHING, after=ANYTHING, host=HOSTS)
def test_a_setting_without_a_scheme_hides_its_password_of_whatever_characters(
    name: str, before: str, after: str, host: str
) -> None:
    text = f"{name}:{before}{HIDDEN}{after}@{host}"
    assume("://" not in text)
    shown = redacted_value(text)
    assert HIDDEN not in shown
    assert shown.endswith(host)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("http://u:pa", "http://***", id="cut at a blank"),
        pytest.param("http://h.example.org:3128", "http://h.example.org:3128", id="a port"),
        pytest.param("http://h.example.org:80/x", "http://h.example.org:80/x", id="and a path"),
        pytest.param("http://[::1]:80", "http://[::1]:80", id="numbers"),
        pytest.param("me:pa ss@h:1", "***@h:1", id="no scheme, and a blank"),
        pytest.param("debian:bookworm@sha256:ab", "debian:bookworm@sha256:ab", id="an image"),
        pytest.param("In verse: always.", "In verse: always.", id="words"),
    ],
)
def test_a_settings_value_hides_what_is_left_of_a_login(text: str, shown: str) -> None:
    assert redacted_value(text) == shown
    assert redacted_value(shown) == shown


@given(host=HOSTS, path=PATHS, key=KEYS, before=st.booleans(), secret=NAMES, around=AROUND)
def test_no_token_in_a_query_survives(
    host: str, path: str, key: str, secret: str, around: str, *, before: bool
) -> None:
    query = f"{'a=1&' if before else ''}{key}={secret}{HIDDEN}&b=2"
    shown = redacted(around.format(f"https://{host}{path}?{query}"))
    assert HIDDEN not in shown
    assert host in shown
    assert redacted(shown) == shown


@given(scheme=SCHEMES, host=HOSTS, path=PATHS, around=AROUND)
def test_an_address_without_a_secret_stays_as_it_is(
    scheme: str, host: str, path: str, around: str
) -> None:
    text = around.format(f"{scheme}://{host}{path}?a=1&page=2#top")
    assert redacted(text) == text


@given(name=NAMES, secret=LOOSE, host=HOSTS)
def test_a_proxy_without_a_scheme_hides_its_login(name: str, secret: str, host: str) -> None:
    shown = redacted(f"{name}:{secret}{HIDDEN}@{host}")
    assert HIDDEN not in shown
    assert shown.endswith(f"***@{host}")


@given(st.text())
def test_any_text_at_all_can_be_shown_and_twice_is_as_once(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


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
        pytest.param("http://u:pa ss@h:1", "http://***@h:1", id="a blank"),
        pytest.param("http://my me:pa ss@h:1", "http://***@h:1", id="a blank in the name"),
        pytest.param(
            "http://u:a b@h/x and http://v:c d@i/y, or http://j:80/z",
            "http://***@h/x and http://***@i/y, or http://j:80/z",
            id="what stands between addresses",
        ),
        pytest.param(
            "http://h:80 or 'https://u:a b@i'", "http://h:80 or 'https://***@i'", id="a port first"
        ),
        pytest.param(
            "'http://h': ask me@example.org", "'http://h': ask me@example.org", id="a sentence"
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
            "https://public.example.com/=https://me:s@mirror/",
            "https://***@mirror/",
            id="a pair of addresses",
        ),
        pytest.param("Authorization: Basic bWU6cw==", "Authorization: Basic ***", id="a header"),
        pytest.param("authorization: bearer abc.def", "authorization: bearer ***", id="a bearer"),
        pytest.param("token hf_abcdefgh123 sent", "token hf_*** sent", id="a hub's token"),
        pytest.param("Basic usage is told", "Basic usage is told", id="a short word after Basic"),
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
