# SPDX-License-Identifier: Apache-2.0
"""Is what was typed told apart: questions, blocks, commands?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.errors import UsageError
from ttctl.rules.typed import COMMANDS, Typed, command_in, goes_on, put_right, together


@pytest.mark.parametrize(
    ("text", "command", "argument"),
    [
        pytest.param("/help", "help", "", id="alone"),
        pytest.param("/save first try ", "save", "first try", id="with words"),
        pytest.param("/system Be\nshort.", "system", "Be\nshort.", id="over two lines"),
        pytest.param("/QUIT", "quit", "", id="in capitals"),
        pytest.param("/clear", "new", "", id="another word for it"),
        pytest.param("/?", "help", "", id="a mark"),
    ],
)
def test_a_slash_begins_a_command(text: str, command: str, argument: str) -> None:
    assert command_in(text) == Typed(command=command, argument=argument)


@pytest.mark.parametrize(
    "text", ["What is /etc?", "/etc/passwd holds what?", " /help", "", "/", "// comment", "/2 = ?"]
)
def test_what_is_no_command_is_a_question(text: str) -> None:
    assert command_in(text) is None


@pytest.mark.parametrize(
    ("text", "near"), [("/hlep", "/help"), ("/sav x", "/save"), ("/qit", "/quit")]
)
def test_an_unknown_command_is_refused_with_the_nearest(text: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        command_in(text)
    assert caught.value.next_step == near


def test_what_is_near_to_nothing_lists_all_commands() -> None:
    with pytest.raises(UsageError) as caught:
        command_in("/xyzzy")
    assert all(f"/{name}" in caught.value.evidence for name in COMMANDS)
    assert caught.value.next_step == "/help"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        pytest.param(["one"], "one", id="one line"),
        pytest.param([""], "", id="nothing"),
        pytest.param(["one\\", "two"], "one\ntwo", id="backslash"),
        pytest.param(["a\\", "b\\", "c"], "a\nb\nc", id="two backslashes"),
        pytest.param(['"""one"""'], "one", id="quotes on one line"),
        pytest.param(['"""', "one", "", "two", '"""'], "one\n\ntwo", id="quotes"),
        pytest.param(['"""a\\', 'b"""'], "a\\\nb", id="backslash in quotes"),
        pytest.param(['""""""'], "", id="empty quotes"),
    ],
)
def test_lines_become_one_text(lines: list[str], text: str) -> None:
    for number in range(1, len(lines)):
        assert goes_on(lines[:number])
    assert not goes_on(lines)
    assert together(lines) == text


def test_a_block_that_was_not_ended_is_what_was_typed() -> None:
    assert together(['"""one', "two"]) == "one\ntwo"
    assert together(["one\\"]) == "one"


@given(st.lists(st.text(alphabet='ab"\\ /', max_size=8), min_size=1, max_size=4))
def test_any_lines_are_read(lines: list[str]) -> None:
    assert isinstance(together(lines), str)
    assert goes_on(lines) in {True, False}


@pytest.mark.parametrize(
    ("line", "error", "expected"),
    [
        pytest.param(
            "/role codng",
            UsageError("?", mistyped="codng", meant="coding"),
            "/role coding",
            id="near",
        ),
        pytest.param(
            "/load zzz",
            UsageError("?", next_step="ttctl chat --load one"),
            "/load",
            id="their list",
        ),
        pytest.param(
            "/save a/b", UsageError("?", next_step="/save first-try"), "/save first-try", id="own"
        ),
    ],
)
def test_what_follows_a_refusal_can_be_typed_in_the_conversation(
    line: str, error: UsageError, expected: str
) -> None:
    typed = command_in(line)
    assert typed is not None
    assert put_right(typed, error) == expected
