# SPDX-License-Identifier: Apache-2.0
"""Is a conversation what a person and a pipe expect? At a real terminal, beside a stand-in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.talking_api import TalkingApi, until
from tests.standins.terminal import PASTE, UP, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 60


@pytest.fixture
def api() -> Iterator[TalkingApi]:
    with TalkingApi("demo-llama", "a-lora") as server:
        yield server


def command(api: TalkingApi, *words: str) -> list[str]:
    program = [sys.executable, "-m", "tests.standins.ttctl_beside", f"chat-test={api.port}"]
    return [*program, "chat", *words]


def terminal(api: TalkingApi, environ: dict[str, str], *words: str) -> Terminal:
    one = Terminal(command(api, *words), cwd=Path(environ["HOME"]), environ=environ)
    one.see("> ")
    return one


def run(
    api: TalkingApi, environ: dict[str, str], *words: str, stdin: str | None = None, exits: int = 0
) -> tuple[str, str]:
    """Return what was printed to stdout and stderr, with no terminal anywhere."""
    done = subprocess.run(
        command(api, *words),
        cwd=environ["HOME"],
        env={**environ, "TERM": "xterm-256color"},
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == exits, done.stderr
    return done.stdout, done.stderr


# At a terminal.


def test_an_answer_comes_piece_by_piece_and_control_c_ends_it_and_not_the_program(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    with terminal(api, environ) as screen:
        screen.type("SLOW one\n")
        screen.see("You said: SLOW one so")
        assert not api.left.is_set()
        screen.type("\x03")
        screen.see("(stopped)")
        until(api.left)
        screen.see(" tokens, first after ")
        screen.see("> ")
        screen.type("two\n")
        screen.see("You said: two")
        screen.see("> ")
        screen.type("/quit\n")
        assert screen.ends() == 0
    (role, partial) = api.said()[1]
    assert role == "assistant"
    assert partial.startswith("You said: SLOW one so")


def test_control_c_at_the_prompt_says_how_to_leave_and_control_d_leaves(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    with terminal(api, environ) as screen:
        screen.type("half a line")
        screen.see("half a line")
        screen.press("\x03", until="Ctrl-D or /quit leaves")
        screen.see("> ")
        screen.type("whole\n")
        screen.see("You said: whole")
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0
    assert len(api.asked) == 1


def test_what_was_typed_is_recalled_in_the_next_conversation(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    with terminal(api, environ) as screen:
        screen.type("remember me\n")
        screen.see("tokens/s)")
        screen.see("> ")
        screen.type(" but not this\n")
        screen.see("tokens/s)")
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0
    kept = Path(environ["XDG_STATE_HOME"]) / "ttctl" / "chat-history"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text() == '"remember me"\n'
    with terminal(api, environ) as screen:
        screen.type(f"{UP}\n")
        screen.see("You said: remember me")


BLOCKS = (
    '"""one\ntwo"""\n',
    '"""\none\ntwo\n"""\n',
    "one\\\ntwo\n",
    f"{PASTE.format('one' + chr(10) + 'two')}\n",
    '"""one\ntwo\n\x04',
    f"{UP}\n",
)
"""Quotes, quotes on lines of their own, a backslash, a paste, an end of input; and recalled."""


def test_several_lines_are_one_question(api: TalkingApi, environ: dict[str, str]) -> None:
    with terminal(api, environ) as screen:
        for block in BLOCKS:
            screen.type(block)
            screen.see("tokens/s)")
            screen.see("> ")
            assert api.said()[-1] == ("user", "one\ntwo"), block


def test_a_conversation_is_saved_and_goes_on_in_another_program(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    with terminal(api, environ, "--system", "Be short.") as screen:
        screen.type("first\n")
        screen.see("tokens/s)")
        screen.type("/save ../escaped\n")
        screen.see("'../escaped' cannot name a conversation")
        screen.type("/save mine\n")
        screen.see("saved as mine")
        screen.type("/quit\n")
        assert screen.ends() == 0
    saved = Path(environ["XDG_STATE_HOME"]) / "ttctl" / "talks" / "mine.json"
    assert saved.stat().st_mode & 0o777 == 0o600
    assert saved.parent.stat().st_mode & 0o777 == 0o700
    with terminal(api, environ) as screen:
        screen.type("/load mine\n")
        screen.see("You said: first")
        screen.see("> ")
        screen.type("second\n")
        screen.see("tokens/s)")
        screen.type("/new\n")
        screen.see("a new conversation")
        screen.type("/save mine\n")
        screen.see("There is a conversation 'mine' already.")
    assert api.said() == [
        ("system", "Be short."),
        ("user", "first"),
        ("assistant", "You said: first"),
        ("user", "second"),
    ]
    run(api, environ, "--load", "mine", "third")
    assert api.said()[1:] == [
        ("user", "first"), ("assistant", "You said: first"), ("user", "third"),
    ]  # fmt: skip


def test_model_role_system_and_settings_change_what_is_asked(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    own = Path(environ["XDG_CONFIG_HOME"]) / "ttctl" / "roles"
    own.mkdir(parents=True)
    (own / "pirate.md").write_text("Arr.\n")
    with terminal(api, environ, "--role", "pirate") as screen:
        screen.type("one\n")
        screen.see("tokens/s)")
        assert api.said()[0] == ("system", "Arr.")
        screen.type("/model a-lora\n")
        screen.see("talking to a-lora")
        screen.type("/set temperature 0.7\n")
        screen.see("temperature 0.7")
        screen.type("/role codng\n")
        screen.see("Nearest: coding.")
        screen.type("/role none\n")
        screen.see("no system message")
        screen.type("two\n")
        screen.see("tokens/s)")
        assert (api.asked[-1]["model"], api.asked[-1]["temperature"]) == ("a-lora", 0.7)
        assert api.said()[0] == ("user", "one")
        screen.type("/tokens\n")
        screen.see("of 2048 tokens")
        screen.type("/modl\n")
        screen.see("Nearest: /model.")


def test_what_does_not_fit_is_refused_and_the_conversation_is_as_it_was(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    with terminal(api, environ) as screen:
        for question in ("one", "two"):
            screen.type(f"{question}\n")
            screen.see("tokens/s)")
        screen.type("LONG\n")
        screen.see("The conversation has become too long for this model.")
        screen.see("/drop 1")
        screen.type("/drop 1\n")
        screen.see("dropped 1, 1 left")
        screen.type("three\n")
        screen.see("tokens/s)")
    assert api.said() == [("user", "two"), ("assistant", "You said: two"), ("user", "three")]


def test_a_model_cannot_move_the_cursor(api: TalkingApi, environ: dict[str, str]) -> None:
    with terminal(api, environ) as screen:
        screen.type('"""a\x16\x1b[2Jb"""\n')
        screen.see("You said: a\\x1b[2Jb")


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["for people", "for programs"])
def test_a_conversation_whose_answers_go_to_a_file_leaves_only_them_there(
    api: TalkingApi, environ: dict[str, str], words: tuple[str, ...]
) -> None:
    into = Path(environ["HOME"]) / "answers"
    shell = ["/bin/sh", "-c", f'exec "$@" > {into}', "sh", *command(api, *words)]
    with Terminal(shell, cwd=Path(environ["HOME"]), environ=environ) as screen:
        for question in ("one", "two"):
            screen.see("> ")
            screen.type(f"{question}\n")
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0
    lines = into.read_text().splitlines()
    if words:
        lines = [json.loads(line)["data"]["text"] for line in lines]
    assert lines == ["You said: one", "You said: two"]


def test_a_dumb_terminal_gets_no_escape_code(api: TalkingApi, environ: dict[str, str]) -> None:
    with terminal(api, environ | {"TERM": "dumb"}) as screen:
        screen.type("Hello\n")
        screen.see("You said: Hello")
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0
    assert "\x1b" not in screen.all


# In a pipe.


def test_in_a_pipe_there_is_the_answer_alone(api: TalkingApi, environ: dict[str, str]) -> None:
    out, err = run(api, environ, stdin="one\ntwo\n")
    assert out == "You said: one\ntwo\n"
    assert "\x1b" not in out + err
    assert api.said() == [("user", "one\ntwo")]


def test_a_question_takes_along_what_is_piped_in(api: TalkingApi, environ: dict[str, str]) -> None:
    assert run(api, environ, "What is this?", stdin="a file\n")[0] == (
        "You said: What is this?\n\na file\n"
    )
    assert run(api, environ, "Alone?", stdin="")[0] == "You said: Alone?\n"


def test_one_question_is_one_envelope_with_its_counts(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    envelope = json.loads(run(api, environ, "--json", "Hello")[0])
    assert envelope["schema"] == "ttctl.chat/1"
    data = envelope["data"]
    assert (data["text"], data["prompt_tokens"], data["completion_tokens"], data["finish"]) == (
        "You said: Hello", 7, 3, "stop",
    )  # fmt: skip


def test_an_answer_that_was_cut_says_so(api: TalkingApi, environ: dict[str, str]) -> None:
    out, err = run(api, environ, "--max-tokens", "2", "Hello")
    assert out == "You said:\n"
    assert "cut at 2 tokens" in err


def test_a_question_that_is_stopped_ends_with_130_and_what_had_come(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    with subprocess.Popen(
        command(api, "SLOW"), env=environ, cwd=environ["HOME"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.read(3) == b"You"
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=LIMIT_S)
    until(api.left)
    assert child.returncode == 130
    assert b"Traceback" not in err


def test_a_stack_that_is_not_there_is_refused(api: TalkingApi, environ: dict[str, str]) -> None:
    _, err = run(api, environ, "--stack", "nope", "Hello", exits=2)
    assert "There is no stack 'nope'" in err
    assert api.asked == []
