# SPDX-License-Identifier: Apache-2.0
"""Is everything had before a start, and is nothing started?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import OfflineError, TtctlError, UsageError
from ttctl.model.plan import AS_NEEDED, How
from ttctl.model.spec import Request
from ttctl.operations.fetch import build, plan_build, pull
from ttctl.operations.up import up

LLAMA = Request(model="llama")
BUILDS = ["build base", "build torch", "build vllm-cpu", "build gateway"]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_build_makes_what_is_missing_and_starts_nothing(scene: Scene) -> None:
    made = build(scene.world, LLAMA, how=AS_NEEDED)
    assert scene.taken() == ["base", *BUILDS]
    assert [image.done for image in made.images] == ["built"] * 4
    again = build(scene.world, LLAMA, how=AS_NEEDED)
    assert scene.taken() == []
    assert [image.done for image in again.images] == ["here"] * 4


def test_a_build_that_is_insisted_on_builds_again(scene: Scene) -> None:
    build(scene.world, LLAMA, how=AS_NEEDED)
    scene.taken()
    build(scene.world, LLAMA, how=How(build=True))
    assert scene.taken() == BUILDS


def test_a_build_asks_no_hub(scene: Scene) -> None:
    scene.weights.offline = True
    card = Request(model="llama", device="n150")
    with pytest.raises(OfflineError):
        up(scene.world, card)
    made = build(scene.world, card, how=AS_NEEDED)
    assert made.device == "n150"
    assert made.images
    assert not [one for one in scene.taken() if one.startswith("fetch")]
    assert build(scene.world, LLAMA, how=AS_NEEDED).model == "acme/Small-1B"


def test_a_build_keeps_what_is_locked(scene: Scene) -> None:
    up(scene.world, LLAMA)
    locked = scene.store.lock("llama")
    scene.weights.offline = True
    desired, plan = plan_build(scene.world, LLAMA, how=AS_NEEDED)
    assert locked is not None
    assert desired.weights == locked.weights
    assert not plan.changes


def test_a_pull_fetches_the_weights_once_and_needs_no_engine(scene: Scene) -> None:
    scene.engine.refuses = TtctlError("A test says so.")
    first = pull(scene.world, LLAMA)
    # Whoever watches is told meanwhile.
    assert scene.taken() == ["told: begin", "fetch acme/Small-1B", "told: end"]
    assert first.changed
    assert first.size_bytes == 1_000
    assert not pull(scene.world, LLAMA).changed
    assert scene.taken() == []


def test_a_pull_asks_for_nothing_that_stands_beside_the_model(scene: Scene) -> None:
    with_another = replace(LLAMA, services=("sd=no-such-model",))
    with pytest.raises(UsageError):
        up(scene.world, with_another)
    assert pull(scene.world, with_another).repository == "acme/Small-1B"


def test_a_pull_onto_a_full_disk_changes_nothing(scene: Scene) -> None:
    scene.host.free["/cache"] = 10
    with pytest.raises(TtctlError, match="not enough room for the weights"):
        pull(scene.world, LLAMA)
    assert scene.taken() == []


def test_a_pull_prepares_no_other_model_than_the_one_that_was_named(scene: Scene) -> None:
    scene.weights.offline = True
    with pytest.raises(OfflineError) as caught:
        pull(scene.world, LLAMA)
    assert caught.value.why.startswith("stands in for acme/Small-1B")
    assert "demo-llama would stand in" in caught.value.evidence
    assert scene.taken() == []


def test_a_pull_of_what_nothing_stands_in_for_is_refused(scene: Scene) -> None:
    scene.weights.offline = True
    with pytest.raises(OfflineError):
        pull(scene.world, Request(model="llama", device="n150"))


@pytest.mark.parametrize("verb", [pull, lambda *args: build(*args, how=AS_NEEDED)])
def test_an_unknown_model_is_refused_first(scene: Scene, verb: object) -> None:
    assert callable(verb)
    with pytest.raises(UsageError):
        verb(scene.world, Request(model="nothing"))
    assert scene.taken() == []
