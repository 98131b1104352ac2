# SPDX-License-Identifier: Apache-2.0
"""Is a stranger's file read, or refused with evidence, and never anything else?"""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.adapters.strict_json import DEEPEST, json_object
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
        pytest.param(b'\xef\xbb\xbf{"a": 1}', "byte order mark", "EF BB BF", id="a mark"),
        pytest.param(b'{"a": "\xff"}', "UTF-8", "0xff at offset 7", id="no UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), "UTF-8", "0xff at offset 0", id="UTF-16"),
        pytest.param(b'{"a": NaN}', "number", "NaN", id="NaN"),
        pytest.param(b'{"a": -Infinity}', "number", "-Infinity", id="infinity"),
        pytest.param(b'{"a": 1e999}', "number", "1e999", id="too large a float"),
        pytest.param(b'{"a": 1' + b"0" * 99 + b"}", "number", "100 long", id="too long"),
        pytest.param(b'{"a": 1' + b"0" * 9999 + b"}", "number", "10000 long", id="far too long"),
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
