# SPDX-License-Identifier: Apache-2.0
"""Is what is set between two prompts understood, and a wrong value put right?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ttctl.errors import UsageError
from ttctl.model.picture import Wanted
from ttctl.rules.studio import (
    ALIASES,
    COMMANDS,
    EXAMPLES,
    FIELDS,
    NEEDS,
    command_for,
    shown,
    with_setting,
)
from ttctl.rules.typed import command_in

PLAIN = Wanted()


@pytest.mark.parametrize(
    ("command", "text", "value", "said"),
    [
        ("size", "512X256", "512x256", "512x256"),
        ("n", "3", 3, "3"),
        ("steps", "20", 20, "20"),
        ("seed", "0", 0, "0"),
        ("guidance", "2.50", 2.5, "2.5"),
        ("negative", "Blue sky", "Blue sky", "Blue sky"),
    ],
)
def test_a_setting_holds_until_it_is_taken_back(
    command: str, text: str, value: object, said: str
) -> None:
    wanted = with_setting(PLAIN, command, text)
    assert getattr(wanted, FIELDS[command]) == value
    assert shown(wanted, command) == said
    if command != "n":
        assert with_setting(wanted, command, "auto") == PLAIN


def test_what_is_not_set_says_so() -> None:
    said = {command: shown(PLAIN, command) for command in FIELDS}
    assert said == {
        "size": "auto", "n": "1", "steps": "auto", "seed": "any", "guidance": "auto",
        "negative": "none",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("command", "text"),
    [("n", "0"), ("n", "101"), ("n", "auto"), ("n", "two"), ("steps", "0"), ("steps", "1.5"),
     ("seed", "-1"), ("guidance", "-1"), ("guidance", "nan"), ("guidance", "inf"),
     ("guidance", "much")],
)  # fmt: skip
def test_what_is_no_value_is_refused_with_one(command: str, text: str) -> None:
    with pytest.raises(UsageError, match="cannot be set") as caught:
        with_setting(PLAIN, command, text)
    typed = command_in(caught.value.next_step, COMMANDS.keys(), ALIASES)
    assert typed
    assert with_setting(PLAIN, typed.command, typed.argument) != PLAIN
    assert NEEDS.keys() == EXAMPLES.keys()


def test_a_command_of_conversations_is_none_here_and_a_path_is_a_prompt() -> None:
    with pytest.raises(UsageError, match="no command '/role'") as caught:
        command_in("/role coding", COMMANDS.keys(), ALIASES, other="a prompt")
    assert caught.value.why.endswith("a blank in front makes it a prompt.")
    assert command_in("/etc/motd as a painting", COMMANDS.keys(), ALIASES) is None
    typed = command_in("/images 2", COMMANDS.keys(), ALIASES)
    assert typed
    assert typed.command == "n"


@pytest.mark.parametrize(
    ("mistyped", "meant", "next_step", "expected"),
    [
        pytest.param("17x17", "16x16", "ttctl image --help", "/size 16x16", id="a size"),
        pytest.param("30", "20", "ttctl image --help", "/guidance 20", id="a number"),
        pytest.param("", "", "ttctl image --help", "/help", id="nothing to put right"),
        pytest.param("", "", "/n 2", "/n 2", id="a command of its own"),
    ],
)
def test_after_a_refusal_a_command_is_named(
    mistyped: str, meant: str, next_step: str, expected: str
) -> None:
    wanted = replace(PLAIN, size="17x17", guidance=30.0)
    error = UsageError("No.", next_step=next_step, mistyped=mistyped, meant=meant)
    assert command_for(wanted, error) == expected
