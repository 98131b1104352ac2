# SPDX-License-Identifier: Apache-2.0
"""Does what is written as YAML read back as it was meant?"""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ttctl.adapters.yaml_text import yaml_of
from ttctl.errors import BadFileError

TRAPS = [
    "no", "yes", "on", "off", "y", "n", "NO", "True", "null", "Null", "~", "", " ", "0123", "0o17",
    "0x1f", "22:22", "1:30:00", "5e12", "1_000", ".5", ".inf", "-.inf", ".NaN", "2026-01-31", "=",
    "<<", "*a", "&a", "!x", "!!int 3", "@x", "`x`", "%x", "- a", "? a", ": a", "a: b", "a #b", "#x",
    "[a]", "{a}", "'a'", '"a"', "a\nb", "a\n", "\ta", "a ", " a", "---", "...", "${X}", "$$", "|",
    ">", "\\", "\\n", "caf\u00e9", "\u2028", "\x85", "\ufeff", "\U0001f600", "\x7f", "\x00",
    "a" * 300,
]  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS, ids=ascii)
def test_a_text_that_yaml_could_misread_is_a_text_as_value_and_as_key(trap: str) -> None:
    value: dict[str, object] = {"key": trap, "list": [trap], "map": {trap: 1}}
    text = yaml_of(value)
    assert yaml.safe_load(text) == value
    assert yaml.load(text, Loader=yaml.CSafeLoader) == value


def test_words_that_another_yaml_reads_as_switches_are_quoted() -> None:
    for word in ("y", "n", "Y", "N", "no", "on", "off", "null"):
        assert yaml_of({"key": word}) == f'key: "{word}"\n'


JSON = st.recursive(
    st.text() | st.integers(-(2**63), 2**63) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_compose_file_reads_back_as_it_was_meant_or_is_refused(value: dict[str, object]) -> None:
    try:
        text = yaml_of(value)
    except BadFileError:
        return
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize("value", [{"a": "\udc80"}, {"a": object()}], ids=["half", "object"])
def test_what_yaml_cannot_hold_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(BadFileError):
        yaml_of(value)
