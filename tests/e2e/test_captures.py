# SPDX-License-Identifier: Apache-2.0
"""Do the scenes of docs/first-ten-minutes.md that need an engine print what the page shows?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tools.captures import PAGES, block, blocks_of
from tools.stage import new_stage
from tools.tape import QUESTION, SHOWN, TAPE, comparable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.driver import Stack

    from tools.stage import Stage
    from tools.tape import Scene

pytestmark = pytest.mark.docker

PAGE = blocks_of(PAGES[0].read_text(encoding="utf-8"))
MISHAPS = [scene for scene in TAPE if scene.engine and scene.situation != "plain"]


@pytest.fixture
def stage(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Return a newcomer's home; the stack that runs has seen to it that the images are here."""
    monkeypatch.delenv("TTCTL_HUB_ENDPOINT", raising=False)
    return new_stage(tmp_path / "home", program=stack.ttctl.program.parent)


@pytest.mark.parametrize("scene", MISHAPS, ids=lambda scene: scene.name)
def test_a_mishap_is_told_as_the_page_shows_it(stage: Stage, scene: Scene) -> None:
    assert comparable(block(stage.play(scene))) == comparable(PAGE[scene.name])


def as_shown(stack: Stack, text: str) -> str:
    """Return what a stack of the tests printed, as a newcomer's would."""
    home = str(stack.ttctl.stacks.parent)
    for own, instead in (
        (re.escape(home), "~/.local/state/ttctl"),
        (rf"\b{stack.name}\b", SHOWN["name"]),
        (rf"\b{stack.port}\b", SHOWN["port"]),
    ):
        text = re.sub(own, instead, text)
    return comparable(text)


def words(text: str) -> list[str]:
    """Return the words alone: a longer name makes a wider table."""
    return text.split()


def lines_of(name: str) -> str:
    """Return what the page shows below what is typed."""
    return comparable(PAGE[name]).partition("\n")[2]


def test_up_prints_the_card_that_the_page_shows(stack: Stack, card: str) -> None:
    progress = (stack.ttctl.home / "first-up-progress.txt").read_text()
    shown = as_shown(stack, progress + card)
    assert words(shown) == words(lines_of("up"))


def test_status_prints_what_the_page_shows(stack: Stack) -> None:
    ran = stack.ttctl.run("status", stack.name)
    assert words(as_shown(stack, ran.out)) == words(lines_of("status"))


def test_a_plan_of_what_runs_prints_what_the_page_shows(stack: Stack) -> None:
    ran = stack.ttctl.run("plan", *stack.words)
    assert words(as_shown(stack, ran.err + ran.out)) == words(lines_of("plan-again"))


def test_chat_prints_an_answer_and_its_speed_as_the_page_shows(stack: Stack) -> None:
    ran = stack.ttctl.run("chat", "--stack", stack.name, QUESTION)
    answer, speed = comparable(ran.out).strip(), comparable(ran.err).strip()
    shown = lines_of("chat").strip().splitlines()
    assert (bool(answer), speed) == (True, shown[-1])
