# SPDX-License-Identifier: Apache-2.0
"""Which keys does a gateway accept, and until when?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ttctl.errors import UsageError
from ttctl.model.keys import KeyRow
from ttctl.rules import keys as rules

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
OWN = KeyRow(name="default", sha256=A)
CI = KeyRow(name="ci", sha256=B, made=5)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        pytest.param(f"{A} default", OWN, id="as a script by hand writes it"),
        pytest.param(f"{B} ci@0@5", CI, id="with its day"),
        pytest.param(f"{B} ci@99", KeyRow(name="ci", sha256=B, until=99), id="with its end"),
        pytest.param(f"{B}\tci@99@5  ", replace(CI, until=99), id="tab, and blanks behind"),
        pytest.param(f"{A} my old laptop", KeyRow(name="my old laptop", sha256=A), id="blanks"),
    ],
)
def test_a_line_of_the_map_is_a_key(line: str, row: KeyRow) -> None:
    assert rules.rows_in(f"# by hand\n\n{line}\n") == (row,)


@pytest.mark.parametrize("line", ["0 default", A, f"{A} ", f"{A.upper()} x", f"{A} x@1@2@3"])
def test_what_is_no_key_is_passed_over(line: str) -> None:
    assert rules.rows_in(f"{line}\n{B} ci@0@5\n") == (CI,)


@pytest.mark.parametrize("rows", [(), (OWN,), (OWN, CI), (OWN, replace(CI, until=99), CI)])
def test_what_is_written_is_read_back(rows: tuple[KeyRow, ...]) -> None:
    assert rules.rows_in(rules.map_text(rows)) == rows


def test_a_key_of_which_nothing_more_is_known_is_written_as_it_always_was() -> None:
    assert rules.map_text((OWN,)) == f"{A} default\n"


def test_the_own_key_holds_only_under_its_name_and_without_an_end() -> None:
    assert rules.holds((CI, OWN), A)
    assert not rules.holds((CI,), A)
    assert not rules.holds((replace(OWN, until=99),), A)
    assert not rules.holds((replace(OWN, name="ci"),), A)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        pytest.param((), (OWN,), id="nothing"),
        pytest.param((CI,), (OWN, CI), id="only others"),
        pytest.param((CI, OWN), (OWN, CI), id="its order"),
        pytest.param((replace(OWN, until=9),), (OWN,), id="killed before its file was written"),
        pytest.param(
            (KeyRow(name="default", sha256=C, made=7), replace(OWN, until=9)),
            (OWN,),
            id="a new key that nobody has",
        ),
        pytest.param(
            (OWN, KeyRow(name="default", sha256=C, until=9)),
            (OWN, KeyRow(name="default", sha256=C, until=9)),
            id="an old one that is being kept",
        ),
    ],
)
def test_the_own_key_is_put_right_and_others_stay(
    rows: tuple[KeyRow, ...], wanted: tuple[KeyRow, ...]
) -> None:
    assert rules.mended(rows, A) == wanted


def test_a_rotated_key_ends_and_the_new_one_does_not() -> None:
    found = rules.rotated((OWN, CI), "ci", C, now=100, keep_s=50)
    assert found == (OWN, replace(CI, until=150), KeyRow(name="ci", sha256=C, made=100))
    assert rules.living(found, 149) == found
    assert rules.living(found, 150) == (OWN, found[2])


def test_a_key_that_is_kept_for_no_time_is_gone_at_once() -> None:
    found = rules.rotated((OWN, CI), "ci", C, now=100, keep_s=0)
    assert found == (OWN, KeyRow(name="ci", sha256=C, made=100))


def test_an_end_that_comes_earlier_is_not_put_off() -> None:
    ending = replace(CI, until=110)
    (found, _) = rules.rotated((ending,), "ci", C, now=100, keep_s=50)
    assert found.until == 110


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("90s", 90), ("15m", 900), ("24h", 86400), ("366d", 366 * 86400)],
)
def test_a_time_to_keep_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert rules.keep_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "1.5h", "24 h", "1w", "367d", "99999999999"])
def test_another_time_is_refused_with_what_can_be_typed(text: str) -> None:
    with pytest.raises(UsageError, match="no time to keep") as caught:
        rules.keep_seconds(text)
    assert "24h" in caught.value.evidence


@pytest.mark.parametrize("name", ["", "CI", "a b", "a@b", "-a", "a" * 49, "ä", 'a"b', "a\n"])
def test_a_name_that_could_not_stand_in_a_log_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a key"):
        rules.checked_key_name(name)


@pytest.mark.parametrize("name", ["ci", "0", "alices-laptop", "a" * 48])
def test_a_plain_name_is_taken(name: str) -> None:
    assert rules.checked_key_name(name) == name
