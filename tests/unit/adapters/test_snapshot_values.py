# SPDX-License-Identifier: Apache-2.0
"""Does one value of a snapshot give what it says, or nothing, whatever it is?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.adapters.snapshot_values import (
    bytes_of,
    coords_of,
    fan_of,
    number_of,
    pair_of,
    quad_of,
    register_of,
    registers_of,
    truth_of,
    word_of,
)

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())
)


@pytest.mark.parametrize(
    ("value", "number"), [(" 42.0", 42.0), (7, 7.0), ("N/A", None), (True, None), (1e400, None)]
)
def test_a_number_is_read_in_every_spelling(value: object, number: float | None) -> None:
    assert number_of(value) == number


def test_registers_go_by_their_newer_names_and_make_up_one_number() -> None:
    found = registers_of({"SMBUS_TX_BOARD_ID_HIGH": "0x461", "BOARD_ID_LOW": "0x31934118"})
    assert register_of(found, "BOARD_ID_HIGH") == 0x461
    assert pair_of(found, "BOARD_ID") == "0000046131934118"
    assert pair_of(found, "ASIC_ID") == ""


@pytest.mark.parametrize(
    ("packed", "version"), [(0x130F0000, "19.15.0.0"), (0, ""), (None, ""), (0xFFFFFFFF, "")]
)
def test_a_version_of_four_bytes_is_spelled_out(packed: int | None, version: str) -> None:
    assert quad_of(packed) == version


def test_a_register_without_a_fan_is_no_speed() -> None:
    assert (fan_of("65535"), fan_of("1200")) == (None, 1200.0)


def test_coordinates_and_truths_have_one_spelling() -> None:
    assert (coords_of("(0,1)"), coords_of("N/A")) == ("(0, 1)", "")
    assert [truth_of(one) for one in ("True", False, "perhaps")] == [True, False, None]


@given(ANYTHING)
def test_whatever_a_value_is_a_word_can_be_printed(value: object) -> None:
    assert all(one.isprintable() for one in word_of(value))
    assert register_of({"X": value}, "X") is None or isinstance(register_of({"X": value}, "X"), int)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("249.31 GB", round(249.31 * 2**30)),
        ("125.0 GB", 125 << 30),
        ("1.5TB", 3 << 39),
        ("512.00 MB", 1 << 29),
        ("N/A", 0),
        ("1e9 GB", 0),
        (None, 0),
        (249, 0),
    ],
)
def test_a_size_is_read_with_its_unit(value: object, size: int) -> None:
    assert bytes_of(value) == size
