# SPDX-License-Identifier: Apache-2.0
"""Does `init` make a project's folder, and write over nothing?"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import BadFileError, OfflineError, UsageError
from ttctl.model.spec import Request
from ttctl.operations.init import check_free, init, name_for
from ttctl.operations.plan import lock

if TYPE_CHECKING:
    from ttctl.model.project import Project
    from ttctl.model.settings import Value

FOLDER = Path("/srv/Bot")
WANTED = Request(model="llama", name="bot")
CHOSEN: dict[str, Value] = {"up.model": "llama", "up.name": "bot"}


class Files:
    """A folder in memory."""

    def __init__(self, **here: str) -> None:
        self.here = dict(here)
        self.misread = False

    def taken(self) -> tuple[str, ...]:
        return tuple(self.here)

    def values(self, text: str) -> dict[str, Value]:
        tables = {} if self.misread else tomllib.loads(text)
        return {
            f"{table}.{key}": value for table, of in tables.items() for key, value in of.items()
        }

    def write(self, name: str, text: str) -> None:
        self.here[name] = text


@pytest.fixture
def scene() -> Scene:
    return Scene()


def made(scene: Scene, files: Files, **more: Any) -> Project:  # noqa: ANN401
    return init(scene.world, WANTED, folder=FOLDER, files=files, chosen=CHOSEN, **more)


def test_settings_and_lock_are_written_and_the_lock_is_what_lock_makes(scene: Scene) -> None:
    files = Files()
    project = made(scene, files)
    assert (project.stack, project.locked, project.files) == (
        "bot", True, ("ttctl.toml", "ttctl.lock"),
    )  # fmt: skip
    assert files.values(files.here["ttctl.toml"]) == CHOSEN
    assert files.here["ttctl.lock"] == scene.store.lock_text(scene.store.locks["bot"])
    other = Scene()
    assert lock(other.world, WANTED, upgrade=False) == scene.store.locks["bot"]


def test_a_dry_run_writes_nothing(scene: Scene) -> None:
    files = Files()
    project = made(scene, files, dry_run=True)
    assert project.settings.startswith("# Settings of this folder")
    assert project.dry_run
    assert (files.here, scene.store.locks) == ({}, {})


def test_where_no_lock_can_be_made_the_settings_are_written_and_it_is_said(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> None:
        raise OfflineError("The model hub does not answer.", why="No network.")

    monkeypatch.setattr(scene.weights, "resolve", offline)
    files = Files()
    project = made(scene, files)
    assert list(files.here) == ["ttctl.toml"]
    assert not project.locked
    assert project.why_unlocked.startswith("The model hub does not answer.")


def test_nothing_is_written_over(scene: Scene) -> None:
    files = Files(**{"ttctl.toml": "[up]"})
    with pytest.raises(UsageError, match="is there already"):
        check_free(FOLDER, files)
    with pytest.raises(UsageError, match="is there already"):
        made(scene, files)
    assert files.here == {"ttctl.toml": "[up]"}


def test_what_reads_back_as_something_else_is_not_written(scene: Scene) -> None:
    files = Files()
    files.misread = True
    with pytest.raises(BadFileError, match="is not what was meant"):
        made(scene, files)
    assert files.here == {}


def test_a_model_that_nobody_knows_is_refused_before_anything_is_written(scene: Scene) -> None:
    files = Files()
    wrong = replace(WANTED, model="lama-lama")
    with pytest.raises(UsageError):
        init(scene.world, wrong, folder=FOLDER, files=files, chosen={"up.model": "lama-lama"})
    assert files.here == {}


def test_a_folder_names_its_stack_unless_there_is_one_of_that_name(scene: Scene) -> None:
    assert name_for(scene.world, FOLDER, "llama", named=None) == "bot"
    lock(scene.world, WANTED, upgrade=False)
    with pytest.raises(UsageError, match="There is a stack 'bot' already") as caught:
        name_for(scene.world, FOLDER, "llama", named=None)
    assert caught.value.next_step == "ttctl init /srv/Bot llama --project bot-2"
    # Whoever types the name means the stack.
    assert name_for(scene.world, FOLDER, "llama", named="bot") == "bot"
