# SPDX-License-Identifier: Apache-2.0
"""Are the right weights listed, read and removed, and never those that a stack reads?"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.fakes import REVISION, Scene

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.model.weights import Snapshot
from ttctl.operations import weights
from ttctl.operations.stacks import down
from ttctl.operations.up import up

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
