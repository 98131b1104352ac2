# SPDX-License-Identifier: Apache-2.0
"""Does a conversation go to the right door and keep what was said?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import KEY, Scene

from ttctl.errors import EngineError, TooLongError, UsageError
from ttctl.model.spec import Request
from ttctl.model.talk import Door, Message, Role, Talk
from ttctl.operations.chat import (
    ask,
    check_length,
    loaded,
    role_named,
    switched,
)
from ttctl.operations.doors import check_talks, door_of, doors, find_door
from ttctl.operations.up import up


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama", port=8123))
    scene.gateway.asked.clear()
    return scene


def door(scene: Scene) -> Door:
    return find_door(scene.world, "llama")


TALK = Talk(model="acme/Small-1B")


def test_a_question_goes_to_the_stacks_own_port_with_its_key(scene: Scene) -> None:
    pieces: list[str] = []
    _, answer = ask(scene.world, door(scene), TALK, "Who are you?", on_text=pieces.append)
    assert scene.gateway.asked == [(8123, KEY, [{"role": "user", "content": "Who are you?"}])]
    assert pieces == [answer.text]


def test_what_was_said_goes_along_with_the_next_question(scene: Scene) -> None:
    talk, _ = ask(
        scene.world, door(scene), replace(TALK, system="Be short."), "A?", on_text=lambda _: None
    )
    ask(scene.world, door(scene), talk, "C?", on_text=lambda _: None)
    roles = [(entry["role"], entry["content"]) for entry in scene.gateway.asked[1][2]]
    assert roles == [("system", "Be short."), ("user", "A?"), ("assistant", "Hi."), ("user", "C?")]


def test_the_tokens_of_an_exchange_are_counted(scene: Scene) -> None:
    talk = TALK
    for _ in range(2):
        talk, _ = ask(scene.world, door(scene), talk, "A?", on_text=lambda _: None)
    assert (talk.context_tokens, talk.prompt_tokens, talk.completion_tokens) == (3, 2, 4)


@pytest.mark.parametrize("question", ["", " \n"], ids=repr)
def test_an_empty_question_is_not_asked(scene: Scene, question: str) -> None:
    with pytest.raises(UsageError, match="no question"):
        ask(scene.world, door(scene), TALK, question, on_text=lambda _: None)
    assert scene.gateway.asked == []


def test_a_question_that_is_too_long_says_the_limit(scene: Scene) -> None:
    scene.gateway.fails = TooLongError("The prompt is too long.", why="4097 tokens.")
    with pytest.raises(TooLongError, match="question is too long") as caught:
        ask(scene.world, door(scene), TALK, "A?", on_text=lambda _: None)
    assert "4096 tokens" in caught.value.evidence
    assert caught.value.why == "4097 tokens."
    assert caught.value.next_step == "ttctl models show acme/Small-1B"


def test_a_conversation_that_has_become_too_long_says_what_to_drop(scene: Scene) -> None:
    said = (Message(role="user", text="A?"), Message(role="assistant", text="B."))
    talk = replace(TALK, messages=said * 3, context_tokens=4090)
    scene.gateway.fails = TooLongError("The prompt is too long.")
    with pytest.raises(TooLongError, match="has become too long") as caught:
        ask(scene.world, door(scene), talk, "A?", on_text=lambda _: None)
    assert "it held 4090" in caught.value.evidence
    assert caught.value.next_step == "/drop 1"


def test_the_key_is_not_part_of_what_a_door_shows(scene: Scene) -> None:
    assert KEY not in repr(door(scene))


@pytest.mark.parametrize(
    ("gone", "typed"),
    [("containers", "ttctl up llama --name llama"), ("lock", "ttctl models ls")],
)
def test_a_stack_that_does_not_run_says_how_to_start_it(
    scene: Scene, gone: str, typed: str
) -> None:
    {"containers": scene.engine.states, "lock": scene.store.locks}[gone].clear()  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="does not run") as caught:
        door_of(scene.world, "llama")
    assert caught.value.next_step == typed


def test_each_stack_is_talked_to_as_its_engine_speaks(scene: Scene) -> None:
    assert door(scene).speaks == "openai"
    scene.store.locks["llama"] = replace(scene.store.locks["llama"], engine="direct")
    assert door(scene).speaks == "chat"
    check_talks(scene.world, door(scene))


def test_a_stack_that_draws_holds_no_conversation_and_is_not_offered(scene: Scene) -> None:
    up(scene.world, Request(model="demo-llama", name="other", port=8124))
    scene.store.locks["other"] = replace(scene.store.locks["other"], engine="sd")
    with pytest.raises(UsageError, match="The stack 'other' holds no conversation") as caught:
        check_talks(scene.world, door_of(scene.world, "other"))
    assert caught.value.next_step == "ttctl status other"
    scene.gateway.lists = ("acme/Small-1B",)
    with pytest.raises(UsageError, match="Nothing that runs is called 'other'"):
        switched(scene.world, door(scene), "other")


def test_a_stack_whose_containers_ended_does_not_run(scene: Scene) -> None:
    for service in ("vllm", "gateway"):
        scene.engine.set_state(service, state="exited")
    with pytest.raises(EngineError, match="does not run"):
        door_of(scene.world, "llama")
    assert doors(scene.world) == ()


def test_another_model_of_the_stack_can_be_talked_to(scene: Scene) -> None:
    scene.gateway.lists = ("acme/Small-1B", "a-lora")
    assert switched(scene.world, door(scene), "a-lora") == (door(scene), "a-lora")


@pytest.mark.parametrize("word", ["other", "demo-llama"])
def test_another_stack_can_be_talked_to_by_its_name_or_its_model(scene: Scene, word: str) -> None:
    up(scene.world, Request(model="demo-llama", name="other", port=8124))
    scene.gateway.lists = ("acme/Small-1B",)
    found, model = switched(scene.world, door(scene), word)
    assert (found.stack, found.at.port, model) == ("other", 8124, "demo-llama")


def test_a_model_that_nothing_serves_is_refused_with_the_nearest(scene: Scene) -> None:
    with pytest.raises(UsageError, match="Nothing that runs is called 'demo-lama'") as caught:
        switched(scene.world, door(scene), "demo-lama")
    assert "Nearest: demo-llama." in caught.value.evidence


def test_a_conversation_goes_on_with_the_model_that_is_served(scene: Scene) -> None:
    scene.gateway.lists = ("acme/Small-1B",)
    assert loaded(scene.world, door(scene), Talk(model="gone")).model == "acme/Small-1B"
    scene.gateway.lists = ("acme/Small-1B", "a-lora")
    assert loaded(scene.world, door(scene), Talk(model="a-lora")).model == "a-lora"


def test_a_role_is_found_by_its_name_or_refused_with_the_nearest() -> None:
    coding = Role(name="coding", text="Code.", source="shipped")
    assert role_named((coding,), "coding") is coding
    with pytest.raises(UsageError, match="no role 'codng'") as caught:
        role_named((coding,), "codng")
    assert caught.value.next_step == "ttctl chat --role coding"


def test_without_any_role_the_refusal_still_says_what_to_do() -> None:
    with pytest.raises(UsageError) as caught:
        role_named((), "coding")
    assert caught.value.next_step == "ttctl chat"


def test_an_answer_longer_than_the_model_holds_is_refused_with_one_that_fits(scene: Scene) -> None:
    limit = door(scene).max_model_len
    check_length(replace(TALK, max_tokens=limit - 1), door(scene))
    with pytest.raises(UsageError, match="cannot have 99999 tokens") as caught:
        check_length(replace(TALK, max_tokens=99999), door(scene))
    assert (caught.value.mistyped, caught.value.meant) == ("99999", str(limit // 2))


def test_a_stack_that_still_starts_is_to_be_waited_for(scene: Scene) -> None:
    scene.gateway.fails = EngineError("The engine answered 503.", next_step="ttctl status")
    with pytest.raises(EngineError) as caught:
        ask(scene.world, door(scene), TALK, "Hi?", on_text=print)
    assert caught.value.next_step == "ttctl status llama"
    scene.engine.set_state("vllm", health="starting")
    with pytest.raises(EngineError, match="'llama' is still starting") as caught:
        ask(scene.world, door(scene), TALK, "Hi?", on_text=print)
    assert caught.value.next_step == "ttctl wait llama"


@pytest.mark.parametrize(
    ("word", "meant", "next_step"),
    [
        pytest.param("acme/Smal-1B", "acme/Small-1B", "ttctl ps -a", id="near to one that runs"),
        pytest.param("nosuch", "", "ttctl ps -a", id="near to none"),
        pytest.param("demo", "", "ttctl up demo", id="a model that is not up"),
    ],
)
def test_a_model_that_is_not_served_is_brought_up_only_where_there_is_one(
    scene: Scene, word: str, meant: str, next_step: str
) -> None:
    with pytest.raises(UsageError, match="Nothing that runs") as caught:
        switched(scene.world, door(scene), word)
    assert (caught.value.meant, caught.value.next_step) == (meant, next_step)
