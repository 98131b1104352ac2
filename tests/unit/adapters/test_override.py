# SPDX-License-Identifier: Apache-2.0
"""Is the user's own file read, passed on to compose, never written and never removed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.compose import ComposeLauncher
from ttctl.adapters.override import read_override
from ttctl.adapters.store import StateFolder
from ttctl.errors import BadFileError
from ttctl.model.override import OVERRIDE_NAME

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"compose.yaml": ("name: x\n", False), "ttctl.lock": ("", False)}
TEXT = "services:\n  vllm:\n    privileged: true\n    ports: !reset []\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "stacks/one/rendered"
    made.mkdir(parents=True)
    return made


def test_a_file_that_is_not_there_is_none(folder: Path) -> None:
    assert read_override(folder / OVERRIDE_NAME) is None
    assert StateFolder(folder.parents[1]).override(folder) is None


def test_composes_own_tags_are_read(folder: Path) -> None:
    (folder / OVERRIDE_NAME).write_text(TEXT)
    found = StateFolder(folder.parents[1]).override(folder)
    assert found is not None
    assert [name for name, _ in found.services] == ["vllm"]
    assert "privileged" in found.warnings[0]
    assert found.path == str(folder / OVERRIDE_NAME)


def test_an_empty_file_changes_nothing(folder: Path) -> None:
    (folder / OVERRIDE_NAME).write_text("# mine\n")
    found = read_override(folder / OVERRIDE_NAME)
    assert found is not None
    assert (found.services, found.warnings) == ((), ())


@pytest.mark.parametrize("text", ["a: [", "- x\n", "\x00", "!!python/object:os.system x", "&a [*a"])
def test_what_compose_could_not_read_is_refused_with_the_path(folder: Path, text: str) -> None:
    (folder / OVERRIDE_NAME).write_text(text)
    with pytest.raises(BadFileError, match=OVERRIDE_NAME) as caught:
        read_override(folder / OVERRIDE_NAME)
    assert caught.value.next_step.startswith("docker compose --file ")


@pytest.mark.parametrize("kind", ["a folder", "a link that leads nowhere"])
def test_what_has_the_name_and_is_no_file_is_refused(folder: Path, kind: str) -> None:
    path = folder / OVERRIDE_NAME
    if kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to(folder / "nowhere")
    with pytest.raises(BadFileError, match="is no file") as caught:
        StateFolder(folder.parents[1]).override(folder)
    assert str(path) in caught.value.message
    assert kind in caught.value.evidence
    assert caught.value.next_step == f"ls -ld {path}"


def test_it_is_never_written_pruned_or_counted_as_rendered(folder: Path) -> None:
    store = StateFolder(folder.parents[1])
    (folder / OVERRIDE_NAME).write_text(TEXT)
    for prune in (True, False):
        store.write_folder(folder, FILES, prune=prune)
        assert (folder / OVERRIDE_NAME).read_text() == TEXT
    assert set(store.read_folder(folder)) == set(FILES)


def test_compose_is_told_of_it_after_the_stacks_own_file(folder: Path) -> None:
    launcher = ComposeLauncher(None, {})  # type: ignore[arg-type]
    without = launcher._command(folder, ["up"])  # noqa: SLF001 - what is run is what counts
    (folder / OVERRIDE_NAME).write_text(TEXT)
    named = launcher._command(folder, ["up"])  # noqa: SLF001 - as above
    place = named.index(str(folder / "compose.yaml"))
    assert named[place + 1 : place + 3] == ["--file", str(folder / OVERRIDE_NAME)]
    assert named[: place + 1] + named[place + 3 :] == without


def test_it_outlives_the_stack_that_is_forgotten(folder: Path) -> None:
    store = StateFolder(folder.parents[1])
    store.write_folder(folder, FILES | {"site/pip.conf": ("x\n", False)}, prune=True)
    (folder / OVERRIDE_NAME).write_text(TEXT)
    store.forget("one")
    assert [path.name for path in folder.rglob("*")] == [OVERRIDE_NAME]
    assert store.stacks() == ()
    (folder / OVERRIDE_NAME).unlink()
    store.forget("one")
    assert not folder.exists()
