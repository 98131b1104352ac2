# SPDX-License-Identifier: Apache-2.0
"""Is the stack of the folder's project meant where none is typed, and only there?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.adapters.lock_file import lock_text
from ttctl.adapters.settings import Settings
from ttctl.adapters.settings_reader import read_settings
from ttctl.cli.chosen import is_projects, note_changed, stack_word
from ttctl.cli.session import Flags, Session
from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.operations.desire import desire

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = '[up]\nmodel = "llama"\nname = "bot"\n'


def session_in(folder: Path, text: str | None, **environ: str) -> Session:
    folder.mkdir(parents=True, exist_ok=True)
    if text is not None:
        (folder / "ttctl.toml").write_text(text)
    below = folder / "src" / "deep"
    below.mkdir(parents=True)
    session = Session(Flags())
    places = {"XDG_CONFIG_HOME": str(folder.parent / "config"), **environ}
    session.settings = Settings(places, read=read_settings, folder=below, home=folder.parent)
    return session


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(PROJECT, "bot", id="its name"),
        pytest.param('[up]\nmodel = "acme/Big_One"\n', "big-one", id="its model's"),
        pytest.param('[up]\nname = "bot"\n', "bot", id="a name alone"),
        pytest.param("[chat]\nmax_tokens = 7\n", None, id="settings, and no stack"),
        pytest.param("[up]\n", None, id="nothing chosen"),
        pytest.param(None, None, id="no project"),
    ],
)
def test_below_a_projects_folder_its_stack_is_meant(
    tmp_path: Path, text: str | None, expected: str | None
) -> None:
    session = session_in(tmp_path / "work", text)
    assert stack_word(session, None) == expected


def test_what_is_typed_is_stronger_in_either_spelling(tmp_path: Path) -> None:
    session = session_in(tmp_path / "work", PROJECT)
    assert stack_word(session, "other") == "other"
    assert stack_word(session, None, "other") == "other"
    assert stack_word(session, "other", "other") == "other"
    with pytest.raises(UsageError, match="Either the stack 'a' or 'b'"):
        stack_word(session, "a", "b")


def test_the_users_own_settings_are_no_project(tmp_path: Path) -> None:
    config = tmp_path / "config" / "ttctl"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(PROJECT)
    assert stack_word(session_in(tmp_path / "work", None), None) is None
    assert stack_word(session_in(tmp_path / "other", "[up]\n"), None) is None


def test_a_variable_of_compose_names_no_stack(tmp_path: Path) -> None:
    session = session_in(tmp_path / "work", PROJECT, COMPOSE_PROJECT_NAME="elsewhere")
    assert stack_word(session, None) == "bot"


def test_two_folders_are_two_stacks(tmp_path: Path) -> None:
    one = session_in(tmp_path / "one", PROJECT)
    two = session_in(tmp_path / "two", PROJECT.replace("bot", "second"))
    assert (one.project_stack, two.project_stack) == ("bot", "second")
    assert is_projects(one, Request(model="llama", name="bot"))
    assert not is_projects(one, Request(model="llama"))


def test_settings_that_the_lock_does_not_follow_any_more_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = desire(Scene().world, Request(model="llama", name="bot")).lock
    session = session_in(tmp_path / "work", PROJECT)
    note_changed(session)
    (tmp_path / "work/ttctl.lock").write_text(lock_text(lock))
    note_changed(session)
    assert capsys.readouterr().err == ""
    (tmp_path / "work/ttctl.lock").write_text(lock_text(replace(lock, requested="qwen")))
    note_changed(session)
    assert (
        "no longer matches its lock: up.model is llama, locked is qwen" in capsys.readouterr().err
    )
