# SPDX-License-Identifier: Apache-2.0
"""Is all that may go counted first, and is only that removed, whatever happens in between?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene, container

from ttctl.errors import BadFileError, EngineError, PrivilegeError
from ttctl.model.litter import InUse, OwnImage, StrayFile
from ttctl.model.spec import Request
from ttctl.operations import prune
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = Request(model="llama")
STRAY = StrayFile(path="/state/.ttctl-x", size_bytes=7)


@dataclass
class FakeLeftovers:
    """Images and files in memory."""

    references: list[str] = field(default_factory=lambda: ["ttctl/old:1"])
    strays: tuple[StrayFile, ...] = ()
    of_containers: frozenset[str] = frozenset()
    mounts: frozenset[str] = frozenset()
    gone: list[str] = field(default_factory=list)
    refuses: str = ""

    def images(self) -> tuple[OwnImage, ...]:
        return tuple(
            OwnImage(reference=one, image_id=f"id of {one}", size_bytes=10, made_at=-10_000)
            for one in self.references
        )

    def in_use(self) -> InUse:
        return InUse(images=self.of_containers, folders=self.mounts)

    def files(self) -> tuple[StrayFile, ...]:
        return self.strays

    def remove_image(self, reference: str) -> None:
        if reference == self.refuses:
            raise EngineError("It could not be removed.", why="a container is of it")
        self.gone.append(reference)

    def remove_cache(self, folder: Path) -> None:
        if folder.name == self.refuses:
            raise PrivilegeError("It could not be removed.", why="an engine wrote it")
        self.gone.append(str(folder))


@pytest.fixture
def place() -> FakeLeftovers:
    return FakeLeftovers()


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    up(made.world, LLAMA)
    made.taken()
    return made


def names(found: prune.Pruned) -> list[str]:
    return [one.name for one in found.found]


def test_what_stacks_and_kept_generations_name_is_not_among_it(
    scene: Scene, place: FakeLeftovers
) -> None:
    first = [one.reference for one in scene.store.locks["llama"].images]
    up(scene.world, replace(LLAMA, max_model_len=1024))
    scene.taken()
    place.references += first
    assert names(prune.look(scene.world, place)) == ["ttctl/old:1"]
    assert scene.taken() == []


def test_each_kind_is_found_and_removed_and_nothing_else(
    scene: Scene, place: FakeLeftovers
) -> None:
    place.strays = (STRAY,)
    scene.engine_files.made = {"left": (".",)}
    husk = container("vllm", stack="llama", state="created", container_id="c" * 64)
    foreign = replace(husk, name="theirs", owner="somebody", container_id="d" * 64)
    scene.engine.states |= {"husk": replace(husk, name="husk"), "theirs": foreign}
    done = prune.prune(scene.world, place)
    assert [one.kind for one in done.removed] == ["image", "cache", "file", "container"]
    assert done.removed == done.found
    assert place.gone == ["ttctl/old:1", "/cache/engines/left"]
    assert scene.taken() == ["sweep", f"remove-containers {'c' * 64}"]


def test_only_the_kinds_that_are_named_are_looked_at(scene: Scene, place: FakeLeftovers) -> None:
    place.strays = (STRAY,)
    assert names(prune.look(scene.world, place, ("file",))) == ["/state/.ttctl-x"]
    assert names(prune.look(scene.world, place, ("cache", "container"))) == []


def test_a_damaged_lock_leaves_images_and_caches_alone_and_says_so(
    scene: Scene, place: FakeLeftovers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(stack: str) -> None:
        raise BadFileError(f"the lock of {stack} was changed.")

    monkeypatch.setattr(scene.store, "lock", damaged)
    scene.engine_files.made = {"left": (".",)}
    place.strays = (STRAY,)
    found = prune.look(scene.world, place)
    assert names(found) == ["/state/.ttctl-x"]
    (mind,) = found.minds
    assert "nobody knows which 'llama' names" in mind


def test_generations_keep_their_images_and_caches_once_a_damaged_lock_was_moved_away(
    scene: Scene, place: FakeLeftovers
) -> None:
    lock = scene.store.locks.pop("llama")
    files = scene.generations.states["llama"][1][1]
    files[".env"] = "TTCTL_CACHE='/cache/engines/kept'\n"
    scene.engine_files.made = {"kept": (".",), "left": (".",)}
    place.references += [one.reference for one in lock.images]
    assert names(prune.look(scene.world, place)) == ["ttctl/old:1", "left"]


def test_a_folder_whose_lock_was_moved_away_keeps_what_its_compose_file_names(
    scene: Scene, place: FakeLeftovers
) -> None:
    del scene.store.locks["llama"]
    folder = scene.store.rendered[str(scene.store.folder("llama"))]
    folder["compose.yaml"] = ('services:\n  x:\n    image: "ttctl/old:1"\n', False)
    assert names(prune.look(scene.world, place)) == []


def test_a_cache_that_any_container_mounts_stays(scene: Scene, place: FakeLeftovers) -> None:
    scene.engine_files.made = {"left": (".",)}
    place.mounts = frozenset({"/cache/engines/left"})
    assert names(prune.look(scene.world, place, ("cache",))) == []


def test_what_is_refused_is_left_with_its_reason_and_the_rest_goes(
    scene: Scene, place: FakeLeftovers
) -> None:
    place.references.append("ttctl/older:1")
    place.refuses = "ttctl/old:1"
    done = prune.prune(scene.world, place)
    assert [one.name for one in done.removed] == ["ttctl/older:1"]
    assert [(one.name, one.why) for one in done.left] == [
        ("ttctl/old:1", "It could not be removed.; a container is of it")
    ]


def test_a_container_that_began_in_between_stays(scene: Scene) -> None:
    husk = container("vllm", stack="llama", state="created", name="husk", container_id="c" * 64)
    scene.engine.states["husk"] = husk

    class Started(FakeLeftovers):
        def remove_image(self, reference: str) -> None:
            super().remove_image(reference)
            scene.engine.states["husk"] = replace(husk, state="running")

    assert "husk" in names(prune.prune(scene.world, Started()))
    assert scene.taken() == []


def test_a_stack_that_another_command_holds_keeps_its_containers(
    scene: Scene, place: FakeLeftovers
) -> None:
    scene.engine.states["husk"] = container("vllm", stack="llama", state="created", name="husk")
    scene.store.busy = True
    done = prune.prune(scene.world, place, ("container",))
    assert (done.removed, [one.name for one in done.left]) == ((), ["husk"])
