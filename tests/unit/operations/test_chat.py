# SPDX-License-Identifier: Apache-2.0
"""Does a conversation go to the right door and keep what was said?"""

from __future__ import annotations

import pytest
from tests.unit.fakes import KEY, Scene

from ttctl.errors import EngineError
from ttctl.model.spec import Request
from ttctl.operations.chat import Talk, ask, open_talk
from ttctl.operations.up import up


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama", port=8123))
    scene.gateway.asked.clear()
    return scene


def talk(scene: Scene, system: str = "") -> Talk:
    return open_talk(scene.world, "llama", system=system, max_tokens=8, temperature=0)


def test_a_question_goes_to_the_stacks_own_port_with_its_key(scene: Scene) -> None:
    pieces: list[str] = []
    answer = ask(scene.world, talk(scene), "Who are you?", on_text=pieces.append)
    assert scene.gateway.asked == [(8123, KEY, [{"role": "user", "content": "Who are you?"}])]
    assert pieces == [answer.text]


def test_what_was_said_goes_along_with_the_next_question(scene: Scene) -> None:
    one = talk(scene, system="Be short.")
    one.remember("A?", "B.")
    ask(scene.world, one, "C?", on_text=lambda _: None)
    roles = [(entry["role"], entry["content"]) for entry in scene.gateway.asked[0][2]]
    assert roles == [("system", "Be short."), ("user", "A?"), ("assistant", "B."), ("user", "C?")]


def test_a_question_that_failed_is_not_remembered(scene: Scene) -> None:
    one = talk(scene)
    scene.gateway.fails = EngineError("It broke.")
    with pytest.raises(EngineError):
        ask(scene.world, one, "A?", on_text=lambda _: None)
    assert one.messages == []


def test_the_key_is_not_part_of_what_a_conversation_shows(scene: Scene) -> None:
    assert KEY not in repr(talk(scene))


@pytest.mark.parametrize(
    ("gone", "typed"),
    [("containers", "ttctl up llama --name llama"), ("lock", "ttctl models ls")],
)
def test_a_stack_that_does_not_run_says_how_to_start_it(
    scene: Scene, gone: str, typed: str
) -> None:
    {"containers": scene.engine.states, "lock": scene.store.locks}[gone].clear()  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="does not run") as caught:
        talk(scene)
    assert caught.value.next_step == typed
