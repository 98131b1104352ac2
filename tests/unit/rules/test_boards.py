# SPDX-License-Identifier: Apache-2.0
"""Are chips put on the right boards, and boards into what they can form?"""

from __future__ import annotations

import pytest

from ttctl.model.device import Chip
from ttctl.rules.boards import boards_of, formed_of_all, forms_of, is_whole
from ttctl.rules.families import family_of, says, type_by_number


def chips(*cards: tuple[str, str], bus: str = "") -> list[Chip]:
    return [
        Chip(
            node=f"/dev/tenstorrent/{number}",
            arch="any",
            card_type=card_type,
            pci_address=f"0000:{bus or f'{number + 1:02x}'}:00.0",
            serial=serial,
        )
        for number, (card_type, serial) in enumerate(cards)
    ]


@pytest.mark.parametrize(
    ("word", "family"),
    [
        ("p150a", "p150"), ("p300c", "p300"), ("P100A", "p100"), ("n300", "n300"),
        ("galaxy-wormhole", "galaxy-wh"), ("tt-galaxy-wh", "galaxy-wh"), ("wh_4u", "galaxy-wh"),
        ("tt-galaxy-bh", "galaxy-bh"), ("nb_cb", "nb-cb"), ("", ""), ("unknown", ""), ("bh", ""),
    ],
)  # fmt: skip
def test_every_word_for_a_card_has_its_family(word: str, family: str) -> None:
    assert family_of(word) == family


@pytest.mark.parametrize(
    ("number", "word"),
    [("0000046131934118", "p300c"), ("0x18031900000", "n150"), ("1", ""), ("", ""), ("x", "")],
)
def test_a_boards_number_says_its_kind(number: str, word: str) -> None:
    assert type_by_number(number) == word


@pytest.mark.parametrize("number", ["", "0", "0x0", "0000000000000000", "N/A", "n/a"])
def test_a_number_of_nothing_is_none(number: str) -> None:
    assert not says(number)


def test_spellings_of_one_number_are_one_board() -> None:
    [board] = boards_of(chips(("p300a", "0x46131934118"), ("p300a", "46131934118")))
    assert (board.id, board.chips, len(board.nodes)) == ("46131934118", 2, 2)
    assert is_whole(board)


def test_a_number_that_two_kinds_of_card_share_names_neither() -> None:
    found = boards_of(chips(("n150", "7"), ("p150a", "7")))
    assert [board.id for board in found] == ["0000:01:00.0", "0000:02:00.0"]


def test_a_board_with_too_many_nodes_forms_nothing() -> None:
    found = boards_of(chips(("p150a", "7"), ("p150a", "7")))
    assert [is_whole(board) for board in found] == [False]
    assert forms_of(found) == ()


def test_seven_boards_form_one_of_four_and_seven_of_one() -> None:
    found = boards_of(chips(*[("p150a", str(number)) for number in range(1, 8)]))
    forms = forms_of(found)
    assert [one.device for one in forms] == ["p150x4", *["p150"] * 7]
    assert forms[0].boards == ("1", "2", "3", "4")
    assert forms[0].reason == "4 of 7 x p150 (boards)"
    assert formed_of_all(found, forms) is None


@pytest.mark.parametrize("bus", ["c1", "81", "01", "48"])
def test_a_galaxys_tray_is_read_from_the_bus_number(bus: str) -> None:
    [board] = boards_of(chips(("galaxy-wormhole", "7"), ("galaxy-wormhole", "8"), bus=bus))
    assert board.chips == 2


@pytest.mark.parametrize("bus", ["21", "09", "0001"])
def test_a_bus_number_of_no_tray_leaves_boards_to_their_numbers(bus: str) -> None:
    found = boards_of(chips(("galaxy-wormhole", "7"), ("galaxy-wormhole", "8"), bus=bus))
    assert [board.chips for board in found] == [1, 1]
