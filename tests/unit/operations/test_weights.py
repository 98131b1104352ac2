# SPDX-License-Identifier: Apache-2.0
"""Are the right weights listed, read and removed, and never those that a stack reads?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import REVISION, Scene

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.model.weights import Snapshot
from ttctl.operations import weights
from ttctl.operations.fetch import plan_pull, pull
from ttctl.operations.stacks import down
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.lock import LockedWeights

SMALL = Snapshot(
    repository="acme/Small-1B",
    revision=REVISION,
    shipped=False,
    files=1,
    size_bytes=1_000,
    folder=Path("/cache/weights/acme/Small-1B") / REVISION,
)


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.weights_cache.here = [SMALL]
    return scene


@pytest.mark.parametrize("word", [None, "llama", "acme/Small-1B", "Small-1B"])
def test_weights_are_found_by_model_alias_and_repository(scene: Scene, word: str | None) -> None:
    assert weights.cached(scene.world, word) == (SMALL,)


def test_weights_of_another_model_are_not_meant(scene: Scene) -> None:
    with pytest.raises(UsageError, match="No weights of 'demo'") as caught:
        weights.cached(scene.world, "demo")
    assert caught.value.evidence == "Here: acme/Small-1B."
    assert caught.value.next_step == "ttctl models pull demo"


def test_weights_that_are_nearly_named_are_told_once_whatever_was_to_be_done(scene: Scene) -> None:
    scene.weights_cache.here = [SMALL, SMALL]
    with pytest.raises(UsageError) as caught:
        weights.to_remove(scene.world, "acme/Smal-1B")
    error = caught.value
    assert error.evidence == "Nearest: acme/Small-1B. Here: acme/Small-1B."
    assert (error.mistyped, error.meant) == ("acme/Smal-1B", "acme/Small-1B")


@pytest.mark.parametrize(
    ("here", "next_step"),
    [([SMALL], "ttctl models ls --cached"), ([], "ttctl models ls")],
)
def test_a_word_that_names_no_model_is_not_to_be_pulled(
    scene: Scene, here: list[Snapshot], next_step: str
) -> None:
    scene.weights_cache.here = here
    with pytest.raises(UsageError) as caught:
        weights.cached(scene.world, "nosuch")
    assert caught.value.next_step == next_step


def test_what_is_damaged_is_named(scene: Scene) -> None:
    scene.weights_cache.wrong = {"acme/Small-1B": ("config.json",)}
    (verdict,) = weights.verify(scene.world)
    assert verdict.damaged == ("config.json",)


def test_weights_that_a_stack_reads_are_not_removed(scene: Scene) -> None:
    up(scene.world, Request(model="llama"))
    with pytest.raises(UsageError, match="are in use") as caught:
        weights.to_remove(scene.world, "llama")
    assert caught.value.next_step == "ttctl down llama"
    down(scene.world, "llama", volumes=False, dry_run=False)
    scene.taken()
    weights.remove(scene.world, weights.to_remove(scene.world, "llama"))
    assert scene.taken() == ["remove acme/Small-1B"]
    assert scene.weights_cache.here == []


OTHERS = replace(SMALL, repository="Small-1B", keeper="folder", size_bytes=5_000)


def test_what_a_user_keeps_is_found_by_its_own_name_but_never_removed(scene: Scene) -> None:
    scene.weights_cache.here = [OTHERS]
    assert weights.cached(scene.world, "llama") == (OTHERS,)
    with pytest.raises(UsageError, match="not ttctl's to remove") as caught:
        weights.to_remove(scene.world, "llama")
    assert str(OTHERS.folder) in caught.value.evidence


def test_the_largest_comes_first_by_size(scene: Scene) -> None:
    scene.weights_cache.here = [SMALL, OTHERS]
    assert weights.by_size(scene.world) == (OTHERS, SMALL)


def test_what_others_keep_is_read_only_where_it_is_named(scene: Scene) -> None:
    scene.weights_cache.here = [SMALL, OTHERS]
    assert [one.snapshot for one in weights.verify(scene.world)] == [SMALL]
    assert len(weights.verify(scene.world, "llama")) == 2


def test_where_the_weights_lie_is_in_the_plans_and_the_locks_reason(scene: Scene) -> None:
    scene.weights.elsewhere = "~/models/Small-1B"
    desired, plan = plan_pull(scene.world, Request(model="llama"))
    assert "in ~/models/Small-1B, read once and mounted from there" in plan.steps[0].reason
    assert "0 bytes to fetch" in plan.steps[0].reason
    assert "; its weights are read in ~/models/Small-1B; " in desired.lock.reason


def test_a_pull_says_the_bytes_to_come_and_the_room_before_it_begins(scene: Scene) -> None:
    scene.host.free[str(scene.world.cache)] = 3_000_000_000
    got = pull(scene.world, Request(model="llama"))
    assert got.fetched_bytes == 1_000
    assert "1,000 bytes to fetch; 3.0 GB free in" in scene.reporter.notes[0]
    assert pull(scene.world, Request(model="llama")).fetched_bytes == 0


def test_a_folder_that_was_refused_when_it_was_read_is_not_what_the_container_mounts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lengths alone decide before a fetch; the fetch reads, and may find another content."""
    own = scene.weights.path

    def path(locked: LockedWeights) -> Path:
        return own(locked) if scene.weights.is_complete(locked) else Path("/models/x")

    monkeypatch.setattr(scene.weights, "path", path)
    up(scene.world, Request(model="llama"))
    written = scene.world.folders.read_folder(scene.world.store.folder("llama"))
    assert f"TTCTL_WEIGHTS='/cache/weights/acme/Small-1B/{REVISION}'" in written[".env"]
