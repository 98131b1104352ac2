# SPDX-License-Identifier: Apache-2.0
"""Does each engine of a stack get boards that no other one of it has?"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.rules.leasing import machine, seen, stack

from ttctl.errors import HeldError, NothingFitsError
from ttctl.model.lease import Remembered
from ttctl.model.spec import Request
from ttctl.rules.board_sets import Want, choose_sets, fit_together
from ttctl.rules.domains import domains_of
from ttctl.rules.leases import leased

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.device import System
    from ttctl.model.lease import ContainerUse

MODEL = Request(model="llama")


def wants(*devices: str) -> tuple[Want, ...]:
    return tuple(Want(service=f"e{at}", device=one) for at, one in enumerate(devices))


def sets(
    system: System, needs: tuple[Want, ...], *held: ContainerUse, mine: str = ""
) -> list[list[str]]:
    found = leased(system, seen(*held), Remembered(), stack=mine, owner="")
    chosen = choose_sets(needs, system, found, request=MODEL)
    return [[board.id for board in way] for way in chosen]


@pytest.mark.parametrize(
    ("device", "needs"),
    [
        ("n150x4", ("n150",) * 4),
        ("t3k", ("n300",) * 4),
        ("p150x8", ("p150x4", "p150", "p150")),
        ("p150x8", ("p150", "p150x4")),
        ("p300x2", ("p300", "p300")),
    ],
)
def test_no_two_engines_share_a_reset_domain(
    tmp_path: Path, device: str, needs: tuple[str, ...]
) -> None:
    system = machine(tmp_path, device)
    found = sets(system, wants(*needs))
    domain = {board: one.key for one in domains_of(system) for board in one.boards}
    each = [{domain[board] for board in boards} for boards in found]
    assert all(not one & two for one, two in combinations(each, 2))
    assert all(each)


def test_a_choice_of_the_first_leaves_room_for_those_behind_it(tmp_path: Path) -> None:
    system = machine(tmp_path, "p150x8")
    boards = [board.id for board in system.boards]
    # The lowest board for the first would break up the only four that are free as a whole.
    held = stack("other", domains_of(system)[5].key, paths=("/dev/tenstorrent/5",))
    single, four = sets(system, wants("p150", "p150x4"), held)
    assert (single, four) == ([boards[4]], boards[:4])


@pytest.mark.parametrize("device", list(machines.KINDS))
def test_one_engine_more_than_there_are_domains_never_fits(tmp_path: Path, device: str) -> None:
    system = machine(tmp_path, device)
    form = machines.KINDS[device].forms[0]
    assert fit_together(wants(form), system)
    assert not fit_together(wants(form, *(form for _ in domains_of(system)[:4])), system)


def test_what_each_takes_and_what_is_here_is_said(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150")
    with pytest.raises(NothingFitsError) as caught:
        sets(system, wants("n150", "n150"))
    assert caught.value.evidence.startswith(
        "e0 takes the n150 (1 x n150); e1 takes the n150 (1 x n150). Boards: "
    )


def test_boards_that_others_have_are_named_with_them(tmp_path: Path) -> None:
    system = machine(tmp_path, "n150x4")
    held = [
        stack(f"s{at}", domains_of(system)[at].key, paths=(f"/dev/tenstorrent/{at}",))
        for at in range(3)
    ]
    with pytest.raises(HeldError, match="No boards for a n150 and a n150 are free"):
        sets(system, wants("n150", "n150"), *held)
