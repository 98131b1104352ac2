# SPDX-License-Identifier: Apache-2.0
"""Are several models placed so that no board is given twice, or is it said what is in the way?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.rules.validated import board, entry, machine, t3k

from ttctl.model.device import Formed, System
from ttctl.rules.pack import Candidate, pack

SMALL = Candidate(
    word="small",
    specs=(entry("acme/Small-8B", "n300", memory_mib=20_000), entry("acme/Small-8B", "t3k")),
)
LARGE = Candidate(word="large", specs=(entry("acme/Large-70B", "t3k"),))
ON_CPU = Candidate(word="tiny", specs=(replace(entry("acme/Tiny", "cpu"), pins=None),))


def test_a_t3k_holds_four_n300_stacks_and_says_what_is_not_known() -> None:
    found = pack((SMALL,) * 4, t3k())
    assert found.fits
    assert [one.boards for one in found.placed] == [("0",), ("1",), ("2",), ("3",)]
    assert {one.device for one in found.placed} == {"n300"}
    assert (found.memory_mib, found.left) == (80_000, ())
    assert "one mesh" in found.unknown[0]


def test_what_is_left_is_said() -> None:
    assert pack((SMALL,), t3k()).left == ("1", "2", "3")


@pytest.mark.parametrize(
    ("wanted", "system", "obstacle"),
    [
        pytest.param((SMALL,) * 5, t3k(), "free boards: 4 x n300", id="too many"),
        pytest.param((LARGE, SMALL), t3k(), "large needs 4 x n300 (t3k)", id="one takes all"),
        pytest.param((LARGE,), t3k(free="held", holders=("pid 7",)), "in use by pid 7", id="held"),
        pytest.param((LARGE,), t3k(verdict="error", reasons=("hot",)), "healthy: hot", id="ill"),
        pytest.param(
            (SMALL,) * 4,
            replace(t3k(), memory_bytes=64 << 30),
            "together they need 80000 MiB of memory, 65536 are here",
            id="memory",
        ),
    ],
)
def test_what_is_in_the_way_is_said(
    wanted: tuple[Candidate, ...], system: System, obstacle: str
) -> None:
    found = pack(wanted, system)
    assert not found.fits
    assert obstacle in "\n".join(found.obstacles)


def test_the_processor_takes_what_is_made_for_it_beside_the_cards() -> None:
    found = pack((LARGE, ON_CPU), t3k())
    assert [(one.device, len(one.boards)) for one in found.placed] == [("t3k", 4), ("cpu", 0)]


def test_a_small_model_gives_way_to_one_that_needs_more() -> None:
    boards = tuple(board(str(number), "p150") for number in range(5))
    four = Formed(device="p150x4", boards=("0", "1", "2", "3"), reason="4 x p150")
    single = [Formed(device="p150", boards=(one.id,), reason="1 x p150") for one in boards]
    system = machine("p150x4", four, *single, boards=boards)
    one = Candidate(word="one", specs=(entry("acme/One", "p150"),))
    many = Candidate(word="many", specs=(entry("acme/Many", "p150x4"),))
    found = pack((one, many), system)
    assert [placed.boards for placed in found.placed] == [("4",), ("0", "1", "2", "3")]


@given(st.lists(st.sampled_from([SMALL, LARGE, ON_CPU]), max_size=6))
def test_no_board_is_given_twice(wanted: list[Candidate]) -> None:
    found = pack(wanted, t3k())
    given_away = [name for one in found.placed for name in one.boards]
    assert len(given_away) == len(set(given_away))
    assert found.fits == (len(found.placed) == len(wanted))
    assert found == pack(wanted, t3k())
