# SPDX-License-Identifier: Apache-2.0
"""Is what is wrong never written, and is somebody else's change never lost?"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import pytest

from ttctl.errors import BadFileError, UsageError
from ttctl.model.settings import SETTINGS
from ttctl.operations.settings import change, edit, remove
from ttctl.rules.settings_page import template

if TYPE_CHECKING:
    from ttctl.model.settings import Setting, Value

PORT = SETTINGS["up.port"]


class FakeFile:
    """A settings file of one line; a text with `wrong` in it is refused."""

    def __init__(self, text: str = "") -> None:
        self.path = "/c.toml"
        self.holds = text
        self.written: list[str] = []

    def exclusive(self) -> AbstractContextManager[None]:
        return nullcontext()

    def text(self) -> str:
        return self.holds

    def check(self, text: str) -> None:
        if "wrong" in text:
            raise BadFileError(
                "It is wrong.", why="w", evidence=text, next_step="ttctl config edit"
            )

    def with_value(self, text: str, setting: Setting, value: Value | tuple[str, ...] | None) -> str:
        return text if value is None else f"{setting.key} = {value}\n"

    def without(self, text: str, key: str) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(f"{key} ="))

    def write(self, text: str) -> None:
        self.holds = text
        self.written.append(text)


def test_a_change_is_written_and_shown() -> None:
    file = FakeFile("up.port = 1\n")
    done = change(file, PORT, 2)
    assert (done.changed, done.dry_run, done.path) == (True, False, "/c.toml")
    assert "-up.port = 1\n+up.port = 2" in done.diff
    assert file.written == ["up.port = 2\n"]


def test_a_dry_run_shows_the_same_and_writes_nothing() -> None:
    file = FakeFile("up.port = 1\n")
    done = change(file, PORT, 2, dry_run=True)
    assert "-up.port = 1\n+up.port = 2" in done.diff
    assert done.dry_run
    assert file.written == []


def test_what_changes_nothing_is_not_written() -> None:
    file = FakeFile("up.port = 1\n")
    assert not change(file, PORT, 1).changed
    assert not remove(file, "up.name").changed
    assert file.written == []


def test_a_file_that_is_wrong_already_is_not_touched() -> None:
    file = FakeFile("wrong")
    with pytest.raises(BadFileError):
        change(file, PORT, 1)
    assert file.written == []


def test_a_key_is_removed_from_a_file_that_is_wrong() -> None:
    file = FakeFile("up.prot = wrong\nup.port = 1\n")
    assert remove(file, "up.prot").changed
    assert file.written == ["up.port = 1\n"]


def test_a_key_that_is_nowhere_is_refused_and_what_is_wrong_is_told() -> None:
    with pytest.raises(UsageError, match=r"no setting 'up\.prot'"):
        remove(FakeFile(), "up.prot")
    with pytest.raises(BadFileError):
        remove(FakeFile("wrong"), "up.port")


def test_a_change_shows_no_password() -> None:
    done = change(FakeFile(), SETTINGS["site.https_proxy"], "http://me:hidden@p:1")
    assert "hidden" not in done.diff
    assert "***@p:1" in done.diff


def never(wrong: BadFileError) -> bool:
    raise AssertionError(wrong)


def test_what_was_edited_takes_the_files_place() -> None:
    file = FakeFile("one\n")
    done = edit(file, editor=lambda text: f"{text}two\n", again=never)
    assert file.written == ["one\ntwo\n"]
    assert done.diff.endswith("+two")


def test_a_new_file_begins_with_everything_as_a_comment() -> None:
    file, seen = FakeFile(), []

    def look(text: str) -> str:
        seen.append(text)
        return text

    assert not edit(file, editor=look, again=never).changed
    assert seen == [template()]
    assert file.written == []


def test_what_is_wrong_is_edited_again_from_where_it_was_left() -> None:
    file, seen = FakeFile("old\n"), []

    def fix(text: str) -> str:
        seen.append(text)
        return "wrong\n" if len(seen) < 3 else "right\n"

    edit(file, editor=fix, again=lambda _: True)
    assert seen == ["old\n", "wrong\n", "wrong\n"]
    assert file.written == ["right\n"]


def test_who_gives_up_keeps_the_old_file() -> None:
    file = FakeFile("old\n")
    with pytest.raises(BadFileError, match="was left as it was") as caught:
        edit(file, editor=lambda _: "wrong\n", again=lambda _: False)
    assert caught.value.why == "It is wrong."
    assert file.written == []
    assert file.holds == "old\n"


def test_a_file_that_changed_meanwhile_is_not_overwritten() -> None:
    file = FakeFile("old\n")

    def slow(_: str) -> str:
        file.holds = "theirs\n"
        return "mine\n"

    with pytest.raises(BadFileError, match="by somebody else"):
        edit(file, editor=slow, again=never)
    assert file.holds == "theirs\n"
