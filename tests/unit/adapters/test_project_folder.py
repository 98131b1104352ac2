# SPDX-License-Identifier: Apache-2.0
"""Are a project's files left alone where they are, and does its lock win over the other one?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.adapters.lock_file import lock_text, read_lock
from ttctl.adapters.project_folder import ProjectFolder, ProjectStacks
from ttctl.adapters.store import StateFolder
from ttctl.errors import BadFileError, UsageError
from ttctl.model.spec import Request
from ttctl.operations.desire import desire

if TYPE_CHECKING:
    from pathlib import Path

LOCK = desire(Scene().world, Request(model="llama", name="bot")).lock
OTHER = replace(LOCK, port=LOCK.port + 7)


@pytest.fixture
def stacks(tmp_path: Path) -> ProjectStacks:
    (tmp_path / "bot").mkdir()
    return ProjectStacks(
        tmp_path / "stacks", lock_file=tmp_path / "bot" / "ttctl.lock", stack=lambda: "bot"
    )


def write(stacks: StateFolder, name: str) -> None:
    files = {"ttctl.lock": (lock_text(replace(LOCK, stack=name)), False)}
    stacks.write_folder(stacks.folder(name), files, prune=True)


def test_the_files_of_a_project_are_found_and_written(tmp_path: Path) -> None:
    folder = ProjectFolder(tmp_path / "new", home=str(tmp_path))
    assert folder.taken() == ()
    folder.write("ttctl.toml", "[up]\nport = 8001\n")
    assert folder.taken() == ("ttctl.toml",)
    assert folder.values((tmp_path / "new/ttctl.toml").read_text()) == {"up.port": 8001}
    with pytest.raises(BadFileError) as caught:
        folder.values("[up]\nprot = 1\n")
    assert "up.prot" in caught.value.evidence


def test_a_link_that_leads_nowhere_is_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "ttctl.lock").symlink_to(tmp_path / "nowhere")
    assert ProjectFolder(tmp_path, home="/h").taken() == ("ttctl.lock",)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        ProjectFolder(tmp_path / "file", home="/h").taken()


def test_what_is_locked_goes_into_the_projects_folder_too_and_of_other_stacks_not(
    stacks: ProjectStacks, tmp_path: Path
) -> None:
    write(stacks, "other")
    assert not (tmp_path / "bot/ttctl.lock").exists()
    write(stacks, "bot")
    assert read_lock(tmp_path / "bot/ttctl.lock") == LOCK
    assert StateFolder(tmp_path / "stacks").lock("bot") == LOCK


def test_the_projects_lock_wins_for_its_own_stack_alone(
    stacks: ProjectStacks, tmp_path: Path
) -> None:
    write(stacks, "bot")
    write(stacks, "other")
    (tmp_path / "bot/ttctl.lock").write_text(lock_text(OTHER))
    assert stacks.lock("bot") == OTHER
    assert stacks.lock("other") == replace(LOCK, stack="other")
    # One that came along with another name is not this stack's.
    (tmp_path / "bot/ttctl.lock").write_text(lock_text(replace(OTHER, stack="former")))
    assert stacks.lock("bot") == LOCK


def test_a_folder_without_a_lock_has_the_state_folders(stacks: ProjectStacks) -> None:
    assert stacks.lock("bot") is None


def test_a_damaged_lock_of_a_project_is_refused(stacks: ProjectStacks, tmp_path: Path) -> None:
    (tmp_path / "bot/ttctl.lock").write_text("{")
    with pytest.raises(BadFileError):
        stacks.lock("bot")
