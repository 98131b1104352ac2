# SPDX-License-Identifier: Apache-2.0
"""Does each command of a conversation do what it says, and say why where it does not?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import Scene

from ttctl.cli.session import Flags, Session
from ttctl.cli.talk import Conversation
from ttctl.cli.talk_commands import HANDLERS, show_loaded
from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.model.talk import Message, Role, Talk
from ttctl.operations.doors import find_door
from ttctl.operations.up import up
from ttctl.rules.typed import COMMANDS, command_in

EXCHANGE = (Message(role="user", text="A?"), Message(role="assistant", text="B.", stopped=True))


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama", port=8123))
    scene.shelf.own_roles = (Role(name="brief", text="Be short.", source="shipped"),)
    return scene


@pytest.fixture
def conversation(scene: Scene) -> Conversation:
    session = Session(Flags(no_color=True))
    vars(session)["world"] = scene.world
    door = find_door(scene.world, "llama")
    return Conversation(session, door, Talk(model=door.model, messages=EXCHANGE * 3))


def typed(conversation: Conversation, text: str) -> Talk:
    found = command_in(text)
    assert found
    HANDLERS[found.command](conversation, found.argument)
    return conversation.talk


def test_every_command_has_a_handler() -> None:
    assert HANDLERS.keys() == COMMANDS.keys()


def test_help_shows_every_command_on_stderr(
    conversation: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(conversation, "/help")
    out, err = capsys.readouterr()
    assert out == ""
    assert all(f"/{name}" in err for name in COMMANDS)


def test_the_models_and_stacks_that_run_are_listed(
    conversation: Conversation, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    up(scene.world, Request(model="demo-llama", name="other", port=8124))
    scene.gateway.lists = ("acme/Small-1B",)
    capsys.readouterr()
    typed(conversation, "/model")
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert lines[1:] == [["*", "acme/Small-1B", "llama"], ["demo-llama", "other"]]
    typed(conversation, "/model other")
    assert (conversation.door.at.port, conversation.talk.model) == (8124, "demo-llama")
    assert conversation.talk.messages == EXCHANGE * 3


def test_the_engine_that_answers_is_changed_in_a_conversation(
    scene: Scene, conversation: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    up(scene.world, Request(model="llama", port=8123, services=("api", "demo-llama")))
    capsys.readouterr()
    typed(conversation, "/service")
    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    model = "acme/Small-1B"
    assert lines[1:] == [["*", "vllm", model], ["api", model], ["demo-llama", "demo-llama"]]
    typed(conversation, "/service demo-llama")
    assert "talking to demo-llama on llama/demo-llama" in capsys.readouterr().err
    assert (conversation.door.base, conversation.talk.model) == ("/demo-llama", "demo-llama")
    assert conversation.talk.messages == EXCHANGE * 3
    typed(conversation, "/service")
    assert "\n*  demo-llama" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no service 'aip' that talks") as caught:
        typed(conversation, "/service aip")
    assert caught.value.meant == "api"


def test_a_role_and_a_system_message_replace_each_other(conversation: Conversation) -> None:
    talk = typed(conversation, "/role brief")
    assert (talk.system, talk.role) == ("Be short.", "brief")
    talk = typed(conversation, "/system Rhyme.")
    assert (talk.system, talk.role) == ("Rhyme.", "")
    assert typed(conversation, "/system none").system == ""
    typed(conversation, "/role brief")
    assert (typed(conversation, "/role none").system, conversation.talk.role) == ("", "")


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("temperature 0.7", {"temperature": 0.7}),
        ("temperature=2", {"temperature": 2.0}),
        ("max_tokens 9", {"max_tokens": 9}),
        ("max-tokens 9", {"max_tokens": 9}),
        ("", {}),
    ],
)
def test_a_setting_is_set(conversation: Conversation, words: str, change: dict[str, float]) -> None:
    before = conversation.talk
    assert typed(conversation, f"/set {words}") == replace(before, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words",
    ["temperature", "temperature x", "temperature 3", "temperature nan", "temperature 1 2",
     "max_tokens 0", "max_tokens 1.5", "colour red"],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused(conversation: Conversation, words: str) -> None:
    before = conversation.talk
    with pytest.raises(UsageError, match="cannot be set"):
        typed(conversation, f"/set {words}")
    assert conversation.talk == before


@pytest.mark.parametrize(("words", "left"), [("", 2), ("2", 1), ("3", 0)])
def test_the_oldest_exchanges_are_dropped(
    conversation: Conversation, words: str, left: int
) -> None:
    assert len(typed(conversation, f"/drop {words}").messages) == 2 * left


@pytest.mark.parametrize("words", ["0", "4", "-1", "x", "1.5"])
def test_what_is_not_there_cannot_be_dropped(conversation: Conversation, words: str) -> None:
    with pytest.raises(UsageError, match="cannot be dropped"):
        typed(conversation, f"/drop {words}")
    assert conversation.talk.messages == EXCHANGE * 3


def test_a_name_is_remembered_and_another_conversation_is_not_replaced_by_chance(
    conversation: Conversation, scene: Scene
) -> None:
    with pytest.raises(UsageError, match="Under which name"):
        typed(conversation, "/save")
    typed(conversation, "/save mine")
    typed(conversation, "/drop")
    typed(conversation, "/save")
    assert len(scene.shelf.kept["mine"].messages) == 4
    typed(conversation, "/new")
    with pytest.raises(UsageError, match="'mine' already") as caught:
        typed(conversation, "/save mine")
    assert caught.value.next_step == "/save -f mine"
    typed(conversation, "/save -f mine")
    assert scene.shelf.kept["mine"].messages == ()


def test_the_end_of_a_loaded_conversation_is_shown(
    conversation: Conversation, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    long = replace(EXCHANGE[1], text="x" * 1000 + "\x1b[2J")
    scene.shelf.kept["mine"] = Talk(model="acme/Small-1B", messages=(*EXCHANGE * 3, long))
    capsys.readouterr()
    typed(conversation, "/load")
    typed(conversation, "/load mine")
    err = capsys.readouterr().err
    assert err.startswith("mine\n(3 earlier messages)\nB. (stopped)\n> A?\n")
    assert "x ... (stopped)" in err
    assert "\x1b" not in err


def test_nothing_is_shown_of_an_empty_conversation(
    conversation: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation.talk = Talk(model="m")
    show_loaded(conversation)
    typed(conversation, "/load")
    assert capsys.readouterr().err == "nothing was saved yet\n"


def test_the_tokens_are_told_with_the_limit(
    conversation: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation.talk = Talk(model="m", context_tokens=96, prompt_tokens=57, completion_tokens=80)
    typed(conversation, "/tokens")
    assert "96 of 4096 tokens, 4000 left" in capsys.readouterr().err
    conversation.talk = Talk(model="m")
    typed(conversation, "/tokens")
    assert "of 4096 tokens\n" in capsys.readouterr().err


def test_a_conversation_is_left(conversation: Conversation) -> None:
    typed(conversation, "/quit")
    assert conversation.leaves
