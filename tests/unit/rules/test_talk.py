# SPDX-License-Identifier: Apache-2.0
"""Does a conversation go on as it should, and can nothing that is said do harm?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ttctl.errors import UsageError
from ttctl.model.talk import Completion, Message, Talk
from ttctl.rules.talk import answered, asked, checked_talk_name, cleared, visible, without_oldest

TALK = Talk(model="m", name="mine", system="Be short.", role="brief", temperature=0.5)
ANSWER = Completion(
    text="Hi.", model="m", prompt_tokens=5, completion_tokens=3, seconds=2, first_token_s=1,
    finish="stop",
)  # fmt: skip


def test_an_exchange_is_remembered_with_its_tokens() -> None:
    talk = answered(TALK, "A?", ANSWER)
    assert [(one.role, one.text, one.stopped) for one in talk.messages] == [
        ("user", "A?", False),
        ("assistant", "Hi.", False),
    ]
    assert (talk.context_tokens, talk.prompt_tokens, talk.completion_tokens) == (8, 5, 3)


def test_the_part_of_an_answer_that_was_stopped_is_remembered_as_such() -> None:
    talk = answered(TALK, "A?", replace(ANSWER, finish="stopped"))
    assert talk.messages[-1] == Message(role="assistant", text="Hi.", stopped=True)
    assert asked(talk, "B?")[-2] == {"role": "assistant", "content": "Hi."}


def test_what_was_stopped_before_its_first_word_leaves_nothing() -> None:
    nothing = replace(ANSWER, text="", prompt_tokens=0, completion_tokens=0, finish="stopped")
    assert answered(TALK, "A?", nothing) == TALK


def test_counts_that_an_engine_does_not_tell_stay_as_they_were() -> None:
    before = answered(TALK, "A?", ANSWER)
    after = answered(before, "B?", replace(ANSWER, prompt_tokens=0, completion_tokens=0))
    assert after.context_tokens == 8
    assert len(after.messages) == 4


def test_a_new_conversation_keeps_how_answers_are_made() -> None:
    talk = cleared(answered(TALK, "A?", ANSWER))
    assert talk == replace(TALK, name="")


def test_the_oldest_exchanges_are_dropped() -> None:
    talk = answered(answered(TALK, "A?", ANSWER), "B?", ANSWER)
    assert [one.text for one in without_oldest(talk, 1).messages] == ["B?", "Hi."]
    assert without_oldest(talk, 5).messages == ()


@pytest.mark.parametrize("name", ["a", "First-try_2.b", "0", "x" * 64])
def test_a_name_of_a_file_is_taken(name: str) -> None:
    assert checked_talk_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-f", "a b", "x" * 65, "a\n", "\u00e4"],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a conversation"):
        checked_talk_name(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\nb\tc", "a\nb\tc", id="lines and tabs"),
        pytest.param("a\r\nb", "a\nb", id="lines of another system"),
        pytest.param("\x1b[2J", "\\x1b[2J", id="escape"),
        pytest.param("\x9b2J", "\\x9b2J", id="its other form"),
        pytest.param("\x07\x08", "\\x07\\x08", id="bell and backspace"),
        pytest.param("\u202eevil", "\\x202eevil", id="backwards"),
        pytest.param("caf\u00e9\u00a0!", "caf\u00e9\u00a0!", id="accents and wide blanks"),
        pytest.param("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb", id="joined"),
    ],
)
def test_a_terminal_gets_nothing_that_it_obeys(text: str, shown: str) -> None:
    assert visible(text) == shown
