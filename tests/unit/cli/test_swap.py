# SPDX-License-Identifier: Apache-2.0
"""Is a swap typed as it reads, and is a board reset only after somebody agreed to it?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, NAME
from tests.unit.cli.test_up_consent import RESULT, Terminal
from tests.unit.swapping import DIRT, THIRD, lone_scene

from ttctl.cli.session import Flags, Session
from ttctl.cli.swap import prepared, swap_text
from ttctl.errors import DirtyError
from ttctl.model.plan import How
from ttctl.operations.swap import Swapped

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Typed
    from tests.unit.fakes import Scene


@pytest.fixture
def dirty() -> Scene:
    """A stack that has the only board, which needs a reset."""
    scene = lone_scene()
    scene.leases.remember([DIRT])
    return scene


def session_with(scene: Scene, flags: Flags) -> Session:
    session = Session(flags)
    vars(session)["world"] = scene.world
    return session


def test_the_stack_comes_first_and_the_model_behind_it(typed: Typed) -> None:
    code, _, err = typed("swap chat")
    assert (code, err.splitlines()[-1]) == (2, "next:     ttctl swap chat llama")
    code, _, err = typed("swap")
    assert (code, err.splitlines()[0]) == (2, "error:    Missing argument 'STACK'.")


def test_a_model_that_is_mistyped_is_not_guessed_for_what_ends_a_stack(typed: Typed) -> None:
    code, _, err = typed("swap chat lama")
    assert code == 2
    assert "There is no model 'lama'" in err
    assert "ttctl swap chat llama" not in err
    assert not err.rstrip().endswith("next:")


def test_a_flag_of_the_engine_that_is_refused_names_the_help_of_swap(typed: Typed) -> None:
    code, _, err = typed("swap chat llama -- --host ::")
    assert (code, err.splitlines()[-1]) == (2, "next:     ttctl swap chat --help")


def test_where_nobody_can_be_asked_no_board_is_reset(dirty: Scene) -> None:
    with pytest.raises(DirtyError) as caught:
        prepared(session_with(dirty, Flags()), NAME, THIRD, How(), lock_timeout=1)
    assert caught.value.next_step.endswith("--reset")


@pytest.mark.parametrize(("words", "agreed"), [("y\n", True), ("n\n", False)])
def test_a_person_is_asked_before_a_board_is_reset(
    dirty: Scene, monkeypatch: pytest.MonkeyPatch, words: str, *, agreed: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(words))
    session = session_with(dirty, Flags())
    if agreed:
        assert prepared(session, NAME, THIRD, How(), lock_timeout=1).how.reset
    else:
        with pytest.raises(DirtyError):
            prepared(session, NAME, THIRD, How(), lock_timeout=1)
    assert dirty.taken() == []
    assert dirty.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)


def test_the_answer_says_what_is_up_how_to_go_back_and_how_long_nothing_answered() -> None:
    done = Swapped(stopped="chat", up=RESULT, back="ttctl swap llama chat", pause_s=81.25)
    lines = swap_text(done, program="bin/ttctl").splitlines()
    assert lines[0].startswith("acme/Llama-8B on n300 is up")
    assert "back       bin/ttctl swap llama chat" in lines
    assert lines[-1] == "chat was stopped, its lock and key stay; no answer for 81.2 s"
