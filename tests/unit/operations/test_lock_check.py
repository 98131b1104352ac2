# SPDX-License-Identifier: Apache-2.0
"""Is a flipped byte of a lock or a rendered folder refused with its path, and nothing pinned?"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.adapters.store import StateFolder
from ttctl.errors import BadFileError, UsageError
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.lock_check import check_lock

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.protocols import World

LLAMA = Request(model="llama")
FLIPS = 250


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.builder.texts["pip.conf"] = (
        "[global]\nindex-url = https://user:secret@index.example.org\n"
    )
    return scene


@pytest.fixture
def world(scene: Scene, tmp_path: Path) -> World:
    store = StateFolder(tmp_path / "stacks")
    return replace(scene.world, store=store, folders=store, keys=store)


@pytest.fixture
def folder(world: World) -> Path:
    """Lock the stack and return its folder."""
    operations.lock(world, LLAMA, upgrade=False)
    return world.store.folder("llama")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_written_passes_and_is_left_as_it_is(
    scene: Scene, world: World, folder: Path
) -> None:
    before = tree(folder)
    scene.weights.offline = True
    assert check_lock(world, LLAMA) == world.store.lock("llama")
    assert tree(folder) == before


def test_a_byte_anywhere_is_refused_with_its_path_and_nothing_is_pinned_anew(
    scene: Scene, world: World, folder: Path
) -> None:
    chance = random.Random(20261121)  # noqa: S311 - places, no secrets
    scene.weights.offline = True
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    lock = next(path for path in files if path.name == "ttctl.lock")
    for number in range(FLIPS):
        path = lock if number % 4 == 0 else chance.choice(files)
        good = path.read_bytes()
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= chance.randrange(1, 256)
        path.write_bytes(bad)
        before = tree(folder)
        with pytest.raises(BadFileError) as caught:
            check_lock(world, LLAMA)
        assert str(path) in caught.value.message, bytes(bad)
        assert "secret" not in f"{caught.value.message}{caught.value.evidence}"
        assert tree(folder) == before
        path.write_bytes(good)
    check_lock(world, LLAMA)


@pytest.mark.parametrize("name", ["compose.yaml", ".env", "site/pip.conf", "build.sh"])
def test_a_file_that_is_gone_or_cut_or_new_is_refused(
    world: World, folder: Path, name: str
) -> None:
    path = folder / name
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    with pytest.raises(BadFileError, match="was changed by something else"):
        check_lock(world, LLAMA)
    path.unlink()
    with pytest.raises(BadFileError, match="is missing"):
        check_lock(world, LLAMA)
    path.write_bytes(good)
    (folder / f"{name}.new").write_text("x")
    with pytest.raises(BadFileError, match=r"\.new"):
        check_lock(world, LLAMA)


def test_the_users_own_file_and_the_nodes_of_a_start_are_no_damage(
    world: World, folder: Path
) -> None:
    with (folder / ".env").open("a") as file:
        file.write("TTCTL_NODE_0='/dev/tenstorrent/3:/dev/tenstorrent/3'\n")
    (folder / "compose.override.yaml").write_text("services: {}\n")
    check_lock(world, LLAMA)


def test_a_stack_without_a_lock_is_told_how_to_get_one(world: World) -> None:
    with pytest.raises(UsageError, match="has no lock") as caught:
        check_lock(world, LLAMA)
    assert caught.value.next_step == "ttctl lock llama"
