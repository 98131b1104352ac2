# SPDX-License-Identifier: Apache-2.0
"""Is a stranger's file read, or refused with evidence, and never anything else?"""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.adapters.strict_json import (
    DEEPEST,
    Twice,
    json_object,
    keys_twice,
    numbers_that_are_none,
)
from ttctl.errors import BadFileError


@pytest.mark.parametrize(
    ("data", "why", "evidence"),
    [
        pytest.param(b"", "not JSON", "char 0", id="empty"),
        pytest.param(b'{"a": 1', "not JSON", "char", id="cut"),
        pytest.param(b"<html>", "not JSON", "char 0", id="a page"),
        pytest.param(b"[1]", "is an object", "list", id="a list"),
        pytest.param(b'"x"', "is an object", "str", id="a text"),
        pytest.param(b"null", "is an object", "NoneType", id="null"),
        pytest.param(b'{"a": "\xff"}', "UTF-8", "0xff at offset 7", id="no UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), "UTF-8", "0xff at offset 0", id="UTF-16"),
        pytest.param(b'{"a":' * 40 + b"1" + b"}" * 40, "deeply", "levels", id="deep"),
        pytest.param(b'{"a":' * 99999, "deeply", "levels", id="very deep"),
        pytest.param(b"[" * 99999 + b"]" * 99999, "deeply", "levels", id="deep lists"),
        pytest.param(b'{"a": 1} x', "not JSON", "Extra data", id="more behind it"),
    ],
)
def test_what_is_no_catalog_is_refused_with_why_and_evidence(
    data: bytes, why: str, evidence: str
) -> None:
    with pytest.raises(BadFileError, match="is no catalog") as caught:
        json_object(data, name="a.json")
    assert why in caught.value.why
    assert evidence in caught.value.evidence


def test_a_byte_order_mark_is_passed_over() -> None:
    assert json_object(b'\xef\xbb\xbf{"a": 1}', name="a.json") == {"a": 1}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("1" + "0" * 99, "100 long"),
        ("1" + "0" * 9999, "10000 long"),
    ],
    ids=["NaN", "infinity", "too large", "too long", "far too long"],
)
def test_a_number_that_no_catalog_has_is_marked_and_the_rest_read(number: str, said: str) -> None:
    found = json_object(f'{{"a": [{number}], "b": 1}}'.encode(), name="a.json")
    (bad,) = numbers_that_are_none(found)
    assert said in bad.text
    assert found["b"] == 1


def test_a_key_that_stands_twice_keeps_its_last_value_and_is_told() -> None:
    found = json_object(b'{"a": 1, "b": [{"c": 2, "c": 3}], "a": 4}', name="a.json")
    assert found == {"a": 4, "b": [{"c": 3}]}
    assert list(keys_twice(found)) == ["a", "c"]
    assert isinstance(found, Twice)
    assert found.lost == (("a", 1),)


def test_what_a_later_key_replaces_may_not_be_deep_either() -> None:
    deep = '{"a":' * DEEPEST + "1" + "}" * DEEPEST
    with pytest.raises(BadFileError, match="is no catalog"):
        json_object(f'{{"a": {deep}, "a": 1}}'.encode(), name="a.json")


def test_what_is_just_deep_enough_is_read() -> None:
    levels = DEEPEST
    text = '{"a":' * levels + "1" + "}" * levels
    assert json_object(text.encode(), name="a.json") == json.loads(text)
    with pytest.raises(BadFileError):
        json_object(('{"a":' * (levels + 1) + "1" + "}" * (levels + 1)).encode(), name="a.json")


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_give_an_object_or_a_refusal(data: bytes) -> None:
    with contextlib.suppress(BadFileError):
        assert isinstance(json_object(data, name="x"), dict)
