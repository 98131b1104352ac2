# SPDX-License-Identifier: Apache-2.0
"""Is everything private taken out, in whichever writing it stands, and does the rest stay?"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ttctl.model.report import Private
from ttctl.rules.scrub import LONGEST_LINE, Scrubber, secrets_in

SECRET = 'p4$$ w"or\\d/é+ü%41'  # noqa: S105 - made up
KEY = "0nsecret"
HOME = Private(names=(("/home/ada", "~"), ("ada", "USER"), ("tower", "HOST")))

TEXTS = st.text(max_size=40)
SECRETS = st.text(min_size=6, max_size=60).filter(lambda one: len(one.strip("\\% \n\r\t")) >= 6)
KEYS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0123456789_-", min_size=8)


def scrubbed(text: str, *secrets: str) -> str:
    return Scrubber(Private(secrets=secrets)).text(text)


def escaped(secret: str, which: list[bool]) -> str:
    """Return a secret as JSON may write it, some of its letters as their numbers."""
    marks = [*which, *[False] * len(secret)]
    letters = [
        "".join(f"\\u{unit:04x}" for unit in _units(one)) if marked else json.dumps(one)[1:-1]
        for one, marked in zip(secret, marks, strict=False)
    ]
    return "".join(letters)


def _units(letter: str) -> list[int]:
    raw = letter.encode("utf-16-be", errors="surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


WRITINGS = {
    "plain": str,
    "json": lambda one: json.dumps(one)[1:-1],
    "json, unicode kept": lambda one: json.dumps(one, ensure_ascii=False)[1:-1],
    "json with slashes escaped": lambda one: json.dumps(one)[1:-1].replace("/", "\\/"),
    "json in json": lambda one: json.dumps(json.dumps(one))[3:-3],
    "url": quote,
    "url, all of it": lambda one: quote(one, safe=""),
    "url of a form": quote_plus,
    "url in small letters": lambda one: quote(one, safe="").lower(),
    "url of a url": lambda one: quote(quote(one, safe=""), safe=""),
    "json in a url": lambda one: quote(json.dumps(one)[1:-1], safe=""),
    "base64": lambda one: base64.b64encode(one.encode()).decode(),
    "base64 with a line's end": lambda one: base64.b64encode(f"{one}\n".encode()).decode(),
    "base64 of a login": lambda one: base64.b64encode(f"name:{one}".encode()).decode(),
    "base64 behind two letters": lambda one: base64.b64encode(f"xy{one}z".encode()).decode(),
    "base64 for addresses": lambda one: base64.urlsafe_b64encode(one.encode()).decode(),
    "base64 in a url": lambda one: quote(base64.b64encode(one.encode()).decode(), safe=""),
}


WRITTEN = [SECRET, "f0" * 32, "hunter2 + three", "a/b?c&d=e", "😀-😀-😀"]


@pytest.mark.parametrize(
    ("writing", "secret"),
    [
        (writing, secret)
        for writing in WRITINGS
        for secret in WRITTEN
        # A secret in other letters is another one.
        if "small" not in writing or secret == secret.lower()
    ],
)
def test_a_known_secret_is_found_in_each_writing(writing: str, secret: str) -> None:
    said = WRITINGS[writing](secret)
    found = scrubbed(f"before [{said}] after", secret)
    assert found.startswith("before [")
    assert found.endswith("] after")
    assert len(found) <= len("before [bmFtZTp***Q==] after")
    assert "***" in found


@given(SECRETS, TEXTS, TEXTS)
@example(KEY, "\\", "")
@example(KEY, "%3", "")
@example(KEY, "\\u00e", "")
def test_a_secret_is_nowhere_in_a_text_that_held_it(secret: str, before: str, after: str) -> None:
    assume(secret not in "***" * 9)
    found = scrubbed(f"{before}{secret}{after}", secret)
    assert secret not in found


@given(secret=SECRETS, which=st.lists(st.booleans(), max_size=60), before=TEXTS, after=TEXTS)
def test_a_secret_whose_letters_json_escapes_one_by_one_is_found(
    secret: str, which: list[bool], before: str, after: str
) -> None:
    assume(secret not in "***" * 9)
    text = json.dumps(before)[1:-1] + " " + escaped(secret, which) + " " + json.dumps(after)[1:-1]
    found = scrubbed(f'{{"a": "{text}"}}', secret)
    assert secret not in str(json.loads(found)["a"])


@given(
    secret=KEYS,
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
    writing=st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_base64_that_held_a_secret_says_no_more_of_it_than_its_ends(
    secret: str, before: bytes, after: bytes, writing: object
) -> None:
    assert callable(writing)
    coded = writing(before + secret.encode() + after).decode()
    found = scrubbed(coded, secret)
    assert "***" in found
    kept = found.replace("-", "+").replace("_", "/")
    for part in kept.split("***"):
        whole = part[: len(part) // 4 * 4]
        assert secret.encode() not in base64.b64decode(whole + "=" * (-len(whole) % 4))


@given(value=st.recursive(TEXTS | st.integers() | st.none(), st.lists, max_leaves=8), secret=KEYS)
def test_a_value_stays_json_and_holds_no_secret(value: object, secret: str) -> None:
    scrub = Scrubber(Private(secrets=(secret,)))
    dirty = {"a": value, "b": [f"x{secret}y", {secret: 1}]}
    text = json.dumps(scrub.value(dirty))
    assert secret not in text
    assert set(json.loads(text)) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("HF_TOKEN=abcdef", "HF_TOKEN=***"),
        ("export MY_API_KEY='abc def'", "export MY_API_KEY='***'"),
        ('{"password": "abc"}', '{"password": "***"}'),
        ('{\\"token\\": \\"abc\\"}', '{\\"token\\": \\"***\\"}'),
        ("vllm serve --api-key abc --port 1", "vllm serve --api-key *** --port 1"),
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer ***"),
        ("https://u:p@proxy:3128/", "https://***@proxy:3128/"),
        ("it was ghp_0123456789012345678901", "it was ***"),
        ("in /home/container_app_user/models/x", "in /home/USER/models/x"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "***"),
    ],
)
def test_what_nobody_told_of_is_found_by_what_stands_before_it(text: str, clean: str) -> None:
    assert scrubbed(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "max_num_batched_tokens=2048, tokenizer=demo-llama",
        "api_key=None, enable_auth: false",
        "Avg prompt throughput: 12.0 tokens/s",
        "sha256:0f4c2d at /dev/tenstorrent/0",
        "secrets:\n  key:\n    file: ./key",
    ],
)
def test_what_is_not_private_stays(text: str) -> None:
    assert Scrubber(HOME).text(text) == text


def test_who_and_where_this_is_is_taken_out_as_whole_words() -> None:
    text = "/home/ada/.cache on Tower, by ada: /home/adam is Adam's, and towers are adaptive"
    assert Scrubber(HOME).text(text) == (
        "~/.cache on HOST, by USER: /home/USER is Adam's, and towers are adaptive"
    )


@pytest.mark.parametrize("text", ["tower\nx", "x\\ntower", "x%20tower%20", "u00e9 tower"])
def test_a_name_at_the_edge_of_a_line_or_an_escape_is_a_whole_word(text: str) -> None:
    assert "tower" not in Scrubber(HOME).text(text)


def test_a_secret_counts_more_than_a_name_in_it() -> None:
    private = Private(secrets=("ada-0123456",), names=HOME.names)
    assert Scrubber(private).text("x ada-0123456 y ada") == "x *** y USER"


def test_a_number_that_is_a_secret_becomes_a_text() -> None:
    scrub = Scrubber(Private(secrets=("12345678",)))
    assert scrub.value({"a": 12345678, "b": 7, "c": True}) == {"a": "***", "b": 7, "c": True}


def test_a_value_whose_own_key_says_that_it_is_a_secret_is_hidden() -> None:
    assert Scrubber(Private()).value({"hf_token": "a b c"}) == {"hf_token": "***"}


def test_each_line_of_a_secret_of_several_is_found_alone() -> None:
    assert scrubbed("only the-second-line is here", "the-first-line\nthe-second-line") == (
        "only *** is here"
    )


def test_what_is_too_short_to_be_told_from_chance_is_not_searched_for() -> None:
    assert scrubbed("a cat", "cat") == "a cat"


def test_a_line_without_an_end_is_cut() -> None:
    assert scrubbed("x" * 9000) == "x" * LONGEST_LINE


def test_a_long_log_with_many_secrets_is_cleaned_within_seconds() -> None:
    secrets = tuple(f"secret-number-{one:04}" for one in range(40))
    text = "INFO: a line of a log with no secret in it\\n and \\u00e9\n" * 4_000
    assert scrubbed(f"{text}{secrets[7]}", *secrets).endswith("\n***")


def test_what_looks_like_a_secret_is_learned_for_other_writings() -> None:
    text = (
        "a%20hf_0123456789abcdef%20 MY_TOKEN='not-a-common-word' token=short tokens=1234567890123"
    )
    assert secrets_in(text) == {"hf_0123456789abcdef", "not-a-common-word"}
