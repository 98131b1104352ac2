# SPDX-License-Identifier: Apache-2.0
"""Is a flipped byte of a lock or a rendered folder refused with its path, and nothing pinned?"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, NAME, card_scene
from tests.unit.cards import LLAMA as ON_CARDS
from tests.unit.fakes import Scene

from ttctl.adapters.store import StateFolder
from ttctl.errors import BadFileError, UsageError
from ttctl.model.lease import Leased
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.desire import desire
from ttctl.operations.desire_again import on_boards
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


def test_the_users_own_file_is_no_damage_and_nodes_of_the_processors_stack_are(
    world: World, folder: Path
) -> None:
    (folder / "compose.override.yaml").write_text("services: {}\n")
    check_lock(world, LLAMA)
    with (folder / ".env").open("a") as file:
        file.write("TTCTL_NODE_0='/dev/tenstorrent/3:/dev/tenstorrent/3'\n")
    with pytest.raises(BadFileError, match=r"\.env' was changed"):
        check_lock(world, LLAMA)


def test_a_stack_without_a_lock_is_told_how_to_get_one(world: World) -> None:
    with pytest.raises(UsageError, match="has no lock") as caught:
        check_lock(world, LLAMA)
    assert caught.value.next_step == "ttctl lock llama"
    with pytest.raises(UsageError, match="'one' has no lock") as caught:
        check_lock(world, replace(LLAMA, name="one", device="cpu"))
    assert caught.value.next_step == "ttctl lock llama --name one --device cpu"


OVERRIDE = "services:\n  vllm:\n    environment:\n      MINE: x\n"
LEASED = Leased(
    boards=(FIRST,),
    nodes=("/dev/tenstorrent/3",),
    values=("/root/dev/tenstorrent/3:/dev/tenstorrent/3",),
    root="/root",
)


def started(tmp_path: Path, *, override: bool, pages: bool = True) -> tuple[World, Path]:
    """Write the folder that the start of a stack on a board leaves."""
    scene = card_scene()
    iommu = scene.vitals.the_cards.iommu if pages else ()
    scene.vitals.the_cards = replace(scene.vitals.the_cards, iommu=iommu)
    store = StateFolder(tmp_path / "stacks")
    world = replace(scene.world, store=store, folders=store, keys=store)
    folder = world.store.folder(NAME)
    folder.mkdir(parents=True)
    if override:
        (folder / "compose.override.yaml").write_text(OVERRIDE)
    world.folders.write_folder(
        folder, on_boards(world, desire(world, ON_CARDS), LEASED).files, prune=True
    )
    return world, folder


@pytest.mark.parametrize(
    ("after", "pages"), [("none", True), ("kept", True), ("changed", False), ("removed", False)]
)
def test_a_stack_that_leased_a_board_passes_and_a_changed_file_is_named(
    tmp_path: Path, after: str, *, pages: bool
) -> None:
    world, folder = started(tmp_path, override=after != "none", pages=pages)
    own = folder / "compose.override.yaml"
    if after == "changed":
        own.write_text(OVERRIDE.replace("x", "y"))
    if after == "removed":
        own.unlink()
    check_lock(world, ON_CARDS)
    files = {one for one in folder.rglob("*") if one.is_file() and one.stat().st_size} - {own}
    for path in sorted(files):
        good = path.read_bytes()
        bad = bytearray(good)
        bad[len(good) // 2] ^= 1
        path.write_bytes(bad)
        with pytest.raises(BadFileError) as caught:
            check_lock(world, ON_CARDS)
        assert str(path) in caught.value.message
        path.write_bytes(good)
    check_lock(world, ON_CARDS)


@pytest.mark.parametrize("words", ["config-hash", "dev.ttctl.boards", "devices:", "hugepages"])
def test_a_change_of_what_a_start_filled_in_is_compose_yamls(tmp_path: Path, words: str) -> None:
    world, folder = started(tmp_path, override=True)
    path = folder / "compose.yaml"
    good = path.read_text()
    path.write_text(good.replace(words, f"{words}x", 1))
    with pytest.raises(BadFileError) as caught:
        check_lock(world, ON_CARDS)
    assert str(path) in caught.value.message


def test_the_line_of_a_change_is_told_where_it_is_known(tmp_path: Path) -> None:
    world, folder = started(tmp_path, override=True)
    path = folder / "compose.yaml"
    lines = path.read_text().split("\n")
    lines[3] += " "
    path.write_text("\n".join(lines))
    with pytest.raises(BadFileError) as caught:
        check_lock(world, ON_CARDS)
    assert caught.value.evidence == f"{path}, line 4"


def test_another_number_of_a_node_is_no_damage(tmp_path: Path) -> None:
    world, folder = started(tmp_path, override=False)
    env = folder / ".env"
    env.write_text(env.read_text().replace("/tenstorrent/3", "/tenstorrent/11"))
    check_lock(world, ON_CARDS)


def test_no_other_byte_of_what_a_start_fills_in_is_free(tmp_path: Path) -> None:
    world, folder = started(tmp_path, override=False)
    env = folder / ".env"
    good = env.read_bytes()
    start, end = good.index(b"TTCTL_HUGEPAGES"), good.index(b"TTCTL_OWNER")
    for at in range(start, end, 4):
        bad = bytearray(good)
        bad[at] ^= 1
        env.write_bytes(bad)
        with pytest.raises(BadFileError) as caught:
            check_lock(world, ON_CARDS)
        assert str(env) in caught.value.message, bytes(bad[start:end])
