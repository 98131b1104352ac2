# SPDX-License-Identifier: Apache-2.0
"""Is a boot unit read by systemd as it is meant, whatever its paths are called?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ttctl.errors import BadFileError, UsageError
from ttctl.model.boot import UnitWish
from ttctl.rules.boot_unit import boot_unit, check_says, unit_name
from ttctl.rules.unit_read import sections_of, words_of
from ttctl.rules.unit_text import assignment, word

WISH = UnitWish(
    scope="user",
    program="/home/ann/.local/bin/ttctl",
    user="ann",
    environ=(("HOME", "/home/ann"), ("XDG_STATE_HOME", "/home/ann/.local/state")),
)
TEXT = """\
# Made by `ttctl config boot`, and taken away by `ttctl config boot --remove`.
[Unit]
Description=Bring back the ttctl stacks that were up
After=docker.service

[Service]
Type=oneshot
RemainAfterExit=true
WorkingDirectory=/
Environment="HOME=/home/ann"
Environment="XDG_STATE_HOME=/home/ann/.local/state"
ExecStart=/home/ann/.local/bin/ttctl up --boot
TimeoutStartSec=21600

[Install]
WantedBy=default.target
"""
HOSTILE = [
    "/a b/c",
    "/50%/of %h",
    '/say "x"',
    "/it's",
    "/back\\slash\\",
    "/; rm -rf ~ #",
    "/$HOME/${HOME}/$$",
    "/übel/日本",
    "",
]


def test_a_users_unit_is_this_text() -> None:
    assert (unit_name(WISH), boot_unit(WISH)) == ("ttctl-boot.service", TEXT)


def test_the_systems_unit_runs_as_the_user_and_is_named_so() -> None:
    wish = replace(WISH, scope="system")
    expected = TEXT.replace("Working", "User=ann\nWorking").replace("default.", "multi-user.")
    assert (unit_name(wish), boot_unit(wish)) == ("ttctl-boot-ann.service", expected)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_variable_of_any_text_is_read_back_as_that_text(value: str) -> None:
    wish = replace(WISH, environ=(("XDG_STATE_HOME", value),))
    rows = dict(sections_of(boot_unit(wish)))["Service"]
    written = next(text for key, text in rows if key == "Environment")
    assert words_of(written, dollars=False) == (f"XDG_STATE_HOME={value}",)


@pytest.mark.parametrize("value", ["/a b/c", "/50%/of %h", "/; rm -rf ~ #", "/übel/日本"])
def test_a_program_of_any_path_is_read_back_as_that_path(value: str) -> None:
    rows = dict(sections_of(boot_unit(replace(WISH, program=value))))["Service"]
    written = next(text for key, text in rows if key == "ExecStart")
    assert words_of(written, dollars=True) == (value, "up", "--boot")


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param(replace(WISH, program="ttctl"), id="no whole path"),
        pytest.param(replace(WISH, program="/a$b/ttctl"), id="a dollar in the program's path"),
        pytest.param(replace(WISH, program='/a"b/ttctl'), id="a quote in it"),
        pytest.param(replace(WISH, program="/it's/ttctl"), id="another quote in it"),
        pytest.param(replace(WISH, program="/a\\b/ttctl"), id="a backslash in it"),
        pytest.param(replace(WISH, program="/a\nExecStartPre=/bin/x"), id="a line's end"),
        pytest.param(replace(WISH, environ=(("HOME", "/a\nUser=root"),)), id="one in a variable"),
        pytest.param(replace(WISH, environ=(("HOME", "/a\x1b[0m"),)), id="a terminal's sign"),
        pytest.param(replace(WISH, environ=(("HOME", "/a\udc80"),)), id="no UTF-8"),
        pytest.param(replace(WISH, environ=(("A B", "x"),)), id="no name of a variable"),
        pytest.param(replace(WISH, scope="system", user="a\nb"), id="no name of a user"),
        pytest.param(replace(WISH, scope="system", user="../x"), id="a path for a user"),
        pytest.param(replace(WISH, scope="system", user="%u"), id="a specifier for a user"),
    ],
)
def test_what_a_unit_cannot_hold_is_refused(wish: UnitWish) -> None:
    with pytest.raises(UsageError, match="A boot unit cannot hold this"):
        boot_unit(wish)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT.replace("up --boot", "down --all"), id="another command"),
        pytest.param(TEXT.replace("/home/ann/.local/state", "/tmp"), id="another folder"),  # noqa: S108
        pytest.param(TEXT.replace("Type=", "User=root\nType="), id="another user"),
        pytest.param(TEXT.replace('state"', "state"), id="a quote without its end"),
        pytest.param(TEXT.replace("[Service]", "[Servant]"), id="no such section"),
        pytest.param("ExecStart=/bin/true\n", id="no section"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_unit_that_says_something_else_is_told(text: str) -> None:
    with pytest.raises(BadFileError, match="does not say what is meant"):
        check_says(text, WISH)


@pytest.mark.parametrize("text", ['"a"b', "a%b", "$x", "a'b", "a\\", '"'])
def test_words_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        words_of(text, dollars=True)


def test_escapes_are_read_as_they_are_written() -> None:
    assert words_of(word("a\tb\nc\x01"), dollars=True) == ("a\tb\nc\x01",)
    assert words_of(assignment("A", "$1 %"), dollars=False) == ("A=$1 %",)
