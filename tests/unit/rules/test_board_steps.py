# SPDX-License-Identifier: Apache-2.0
"""Does a plan say which boards are taken, and what is done to them first?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.rules.stacks import CARD

from ttctl.model.lease import Leased
from ttctl.model.plan import Step
from ttctl.rules.board_steps import board_steps

BOARDS = Leased(
    boards=("0123", "4567"),
    ids=("a1", "b2"),
    nodes=("/dev/tenstorrent/0", "/dev/tenstorrent/2"),
    values=("/dev/tenstorrent/0:/dev/tenstorrent/0", "/dev/tenstorrent/2:/dev/tenstorrent/2"),
)
ENGINE = next(service.name for service in CARD.services if service.nodes)
STARTS = (Step(verb="start", subject=ENGINE, reason="it is not here"),)
RUNS = (Step(verb="skip", subject=ENGINE, reason="it runs as wanted"),)
DIRTY = replace(BOARDS, dirty=("container a was killed", "container b was killed"))


def test_a_stack_without_nodes_takes_no_board() -> None:
    cpu = replace(CARD, services=tuple(replace(one, nodes=0) for one in CARD.services))
    assert board_steps(cpu, STARTS, BOARDS) == ()


def test_boards_that_are_not_chosen_are_chosen_at_the_start() -> None:
    [step] = board_steps(CARD, STARTS, None)
    assert (step.verb, step.subject) == ("lease", CARD.device)
    assert step.reason == f"boards that make up {CARD.device} are chosen at the start"


def test_free_boards_are_leased_and_the_step_says_where_they_are_now() -> None:
    [step] = board_steps(CARD, STARTS, BOARDS)
    assert (step.verb, step.subject) == ("lease", "a1, b2")
    assert step.reason == "nobody has them; now at /dev/tenstorrent/0, /dev/tenstorrent/2"


@pytest.mark.parametrize("leased", [BOARDS, DIRTY], ids=["clean", "dirty"])
def test_boards_of_an_engine_that_goes_on_are_left_to_it(leased: Leased) -> None:
    gateway = Step(verb="start", subject="gateway", reason="a new key")
    [step] = board_steps(CARD, (*RUNS, gateway), leased)
    assert (step.verb, step.subject) == ("skip", "a1, b2")
    assert not step.reason.startswith("nobody")


def test_dirty_boards_are_reset_before_they_are_leased_and_every_cause_is_said() -> None:
    reset, lease = board_steps(CARD, STARTS, DIRTY)
    assert (reset.verb, lease.verb) == ("reset", "lease")
    assert reset.subject == lease.subject
    assert reset.reason == "with consent: container a was killed; container b was killed"


@pytest.mark.parametrize(
    ("own", "said"),
    [((), "nobody has them"), (("a1",), "nobody else has them"), (("a1", "b2"), "this stack has")],
)
def test_boards_that_the_stack_has_itself_are_its_own(own: tuple[str, ...], said: str) -> None:
    [step] = board_steps(CARD, STARTS, replace(BOARDS, own=own))
    assert step.reason.startswith(said)


@pytest.mark.parametrize(("own", "said"), [((), "nobody has it;"), (("a1",), "this stack has it;")])
def test_one_board_is_it(own: tuple[str, ...], said: str) -> None:
    [step] = board_steps(CARD, STARTS, replace(BOARDS, ids=("a1",), own=own))
    assert step.reason.startswith(said)
