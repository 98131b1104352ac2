# SPDX-License-Identifier: Apache-2.0
"""Do the Tenstorrent options mean the same under every flag?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.rules.tt_options import is_flag, options_of, plain, spelled, value_of, without_home

if TYPE_CHECKING:
    from ttctl.model.pins import Flag

OPTIONS = {"trace_region_size": 30000000, "fabric_config": "FABRIC_1D"}
PLAIN = json.dumps(OPTIONS)
WRAPPED = json.dumps({"tt": OPTIONS})
FLAGS: tuple[Flag, ...] = ("--override_tt_config", "--plugin_config", "--additional-config")


@pytest.mark.parametrize(
    "argument",
    [
        ("override_tt_config", PLAIN),
        ("override-tt-config", PLAIN),
        ("additional_config", WRAPPED),
        ("additional-config", WRAPPED),
        ("plugin_config", WRAPPED),
    ],
)
@pytest.mark.parametrize("flag", FLAGS)
def test_options_survive_from_any_flag_to_any_other(argument: tuple[str, str], flag: Flag) -> None:
    written = spelled((("seed", "1"), argument, ("x", "2")), flag)
    assert [name for name, _ in written] == ["seed", flag[2:].replace("-", "_"), "x"]
    assert options_of(written) == OPTIONS
    assert (json.loads(written[1][1]).get("tt") is None) == (flag == "--override_tt_config")


def test_an_engine_without_the_flag_keeps_what_it_has() -> None:
    arguments = (("additional_config", WRAPPED),)
    assert spelled(arguments, "") == arguments


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 5000, "null", '{"tt": 3}'])
def test_what_is_no_object_has_no_options(text: str) -> None:
    assert options_of((("additional_config", text),)) == {}
    assert spelled((("additional_config", text),), "--override_tt_config") == (
        ("override_tt_config", "{}"),
    )


def test_keys_beside_the_options_stay_where_there_is_a_place_and_are_told_where_not() -> None:
    both = (("additional_config", '{"tt": {"a": 1}, "other": 2}'),)
    assert json.loads(spelled(both, "--additional-config")[0][1]) == {"tt": {"a": 1}, "other": 2}
    assert without_home(both, "--additional-config") == ()
    assert without_home(both, "--override_tt_config") == ("other",)
    assert spelled(both, "--override_tt_config") == (("override_tt_config", '{"a": 1}'),)


def test_two_flags_become_one_and_none_is_added_only_with_options() -> None:
    both = (("additional_config", WRAPPED), ("override_tt_config", "{}"))
    assert len(spelled(both, "--additional-config")) == 1
    assert spelled((("seed", "1"),), "--override_tt_config") == (("seed", "1"),)
    added = spelled((("seed", "1"),), "--override_tt_config", {"a": 1})
    assert added[1] == ("override_tt_config", '{"a": 1}')


def test_only_the_three_names_are_the_flag() -> None:
    assert is_flag("--additional-config")
    assert is_flag("override_tt_config")
    assert not is_flag("max_model_len")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_a_value_that_is_shown_reads_back(value: object) -> None:
    assert value_of(plain(value)) == value


def test_a_word_is_shown_without_quotes_and_a_number_in_text_with_them() -> None:
    assert plain("FABRIC_1D") == "FABRIC_1D"
    assert plain("30") == '"30"'
    assert plain(30) == "30"
    assert plain("") == '""'
