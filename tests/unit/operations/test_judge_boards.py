# SPDX-License-Identifier: Apache-2.0
"""Is what a plan says of boards about those that the stack gets, and about who has them?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, LLAMA, NAME, card_scene, held, without_cards
from tests.unit.rules.leasing import machine, stack

from ttctl.errors import BadFileError, UsageError
from ttctl.operations import plan as operations
from ttctl.operations.catalogs import page
from ttctl.operations.pack import packing
from ttctl.operations.preview import look
from ttctl.rules.board_names import shown

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.fakes import Scene

    from ttctl.model.match import Finding
    from ttctl.model.spec import Request

ALL = tuple(f"0000:0{at}:00.0" for at in range(4))


def said(scene: Scene, request: Request = LLAMA) -> list[Finding]:
    """Return the boards line of the look and of the plan."""
    looked = look(scene.world, request)
    assert looked is not None
    _, plan = operations.plan(scene.world, request)
    both = (looked.fitness, plan.fitness)
    return [one for found in both for one in found if one.subject == "boards"]


def test_the_line_is_about_the_board_that_is_leased() -> None:
    scene = card_scene()
    held(scene, FIRST)
    assert [one.summary for one in said(scene)] == ["n300 from board 1, which is free"] * 2


def test_held_boards_are_in_use_by_their_holder() -> None:
    scene = card_scene()
    held(scene, *ALL)
    for one in said(scene):
        assert one.verdict == "blocked"
        assert one.summary == "in use: 0: stack chat (container ttctl-chat-vllm-1)"


def test_a_stacks_own_board_is_its_own() -> None:
    scene = card_scene()
    scene.leases.containers = (stack(NAME, FIRST, owner=scene.world.store.owner()),)
    request = replace(LLAMA, name=NAME)
    assert [one.summary for one in said(scene, request)] == [
        "n300 from board 0, which is this stack's own"
    ] * 2


def test_where_nobody_can_be_asked_it_is_not_known() -> None:
    scene = card_scene()
    scene.leases.closed = "the engine may not be asked"
    assert {one.verdict for one in said(scene)} == {"warning"}
    scene = card_scene()
    scene.leases.damaged = BadFileError("It is damaged.")
    looked = look(scene.world, LLAMA)
    assert looked is not None
    [line] = [one.summary for one in looked.fitness if one.subject == "boards"]
    assert line.startswith("not known whether they are free")


def test_a_page_and_a_packing_see_who_has_the_boards() -> None:
    scene = card_scene()
    held(scene, *ALL)
    here = page(scene.world, LLAMA.model, device="n300").here
    assert [one.verdict for one in here if one.subject == "boards"] == ["blocked"]
    assert not packing(scene.world, (LLAMA,)).fits


@pytest.mark.parametrize(
    ("boards", "line"),
    [
        pytest.param(("9",), "there is no board '9'; boards: 0, 1, 2, 3", id="none such"),
        pytest.param(("0", "9"), "there is no board '9'; boards: 0, 1, 2, 3", id="one is none"),
        pytest.param(("0", "1"), "0 (n300), 1 (n300): no n300", id="another device"),
        pytest.param(("0",), "in use: 0: stack chat (container ttctl-chat-vllm-1)", id="held"),
    ],
)
def test_boards_that_are_asked_for_are_judged_and_no_others(
    boards: tuple[str, ...], line: str
) -> None:
    scene = card_scene()
    held(scene, FIRST)
    looked = look(scene.world, replace(LLAMA, boards=boards))
    assert looked is not None
    [found] = [one for one in looked.fitness if one.subject == "boards"]
    assert (found.verdict, found.summary) == ("blocked", line)


def test_boards_of_this_machine_that_make_up_another_device_are_not_rendered(
    tmp_path: Path,
) -> None:
    def render(scene: Scene, *boards: str) -> None:
        request = replace(LLAMA, boards=boards)
        operations.render(scene.world, request, output=tmp_path / "out", unlocked=True)

    for boards in (("0", "1"), ("9",)):
        with pytest.raises(UsageError):
            render(card_scene(), *boards)
    render(card_scene(), "1")
    render(without_cards(), "9")


def test_a_board_is_shown_by_the_number_of_the_listing_whatever_leases_it(tmp_path: Path) -> None:
    system = machine(tmp_path, "t3k")
    board = system.boards[0]
    assert board.id not in {board.asic_ids[0], board.pci_addresses[0]}
    assert shown(system, (board.asic_ids[0].upper(), board.pci_addresses[0])) == (board.id,)
    assert shown(system, ("gone",)) == ("gone",)
