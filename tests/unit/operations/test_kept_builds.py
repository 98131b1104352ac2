# SPDX-License-Identifier: Apache-2.0
"""Does an image that was built here stay the stack's, until somebody asks for another?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, NAME, PINNED, PINNED_IMAGE, SERVER, card_scene
from tests.unit.fakes import at
from tests.unit.rules.validated import entry

from ttctl.model.plan import How
from ttctl.model.site import Site
from ttctl.operations.desire import as_locked, desire
from ttctl.operations.steps import plan_for
from ttctl.operations.up import up

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

DRAWS = entry(
    "stabilityai/stable-diffusion-xl-base-1.0",
    "n300",
    engine="media",
    engine_args=(),
    type="IMAGE",
    pins=SERVER.pins,
)
DERIVED = {"direct": PINNED, "sd": DRAWS}
"""Engine of ours to an entry on whose tt-metal it stands."""
METAL = "tt-metal=/src/tt-metal"
MINE = replace(LLAMA, sources=(METAL,))


@pytest.fixture
def built() -> Scene:
    scene = card_scene()
    up(scene.world, LLAMA, how=How(build=True))
    return asked_nothing(scene)


@pytest.fixture
def local() -> Scene:
    scene = card_scene()
    up(scene.world, MINE)
    return asked_nothing(scene)


def asked_nothing(scene: Scene) -> Scene:
    scene.taken()
    scene.registry.asked.clear()
    scene.commits.asked.clear()
    return scene


def test_a_second_start_takes_what_was_built_and_asks_nobody(built: Scene) -> None:
    before = desire(built.world, LLAMA, how=How(build=True)).stack.engine
    asked_nothing(built)
    built.registry.answers = built.commits.answers = False
    again = desire(built.world, LLAMA)
    assert again.stack.engine == before
    assert again.serving.found is not None
    assert again.serving.found.obtain.way == "here"
    assert (built.registry.asked, built.commits.asked) == ([], [])
    verbs = {one.verb for one in plan_for(built.world, again).steps}
    assert not verbs & {"pull", "build", "bootstrap"}


def test_what_was_built_and_is_gone_is_built_again(built: Scene) -> None:
    built.engine.images = {one for one in built.engine.images if "vllm" not in one}
    again = desire(built.world, LLAMA)
    assert again.serving.found is not None
    assert again.serving.found.obtain.reason == "the lock names an image that was built here"
    assert "build" in {one.verb for one in plan_for(built.world, again).steps}


@pytest.mark.parametrize("engine", ["direct", "sd"])
@pytest.mark.parametrize("offline", [False, True], ids=["online", "offline"])
def test_a_second_start_of_a_program_of_ours_asks_nobody_and_changes_nothing(
    engine: str, *, offline: bool
) -> None:
    scene = card_scene(DERIVED[engine])
    request = replace(LLAMA, model=DERIVED[engine].model, engine=engine)
    assert up(scene.world, request).changed
    asked_nothing(scene)
    if offline:
        scene.site = Site(offline=at("--offline"))
        scene.registry.answers = scene.commits.answers = False
    again = up(scene.world, request)
    assert not again.changed
    assert (scene.registry.asked, scene.commits.asked) == ([], [])
    verbs = {one.verb for one in plan_for(scene.world, desire(scene.world, request)).steps}
    assert not verbs & {"pull", "build", "bootstrap"}


@pytest.mark.parametrize("way", ["always", "upgrade"])
def test_the_validated_image_comes_back_when_it_is_asked_for(built: Scene, way: str) -> None:
    desired = desire(
        built.world,
        LLAMA,
        how=How(pull="always" if way == "always" else "missing"),
        upgrade=way == "upgrade",
    )
    assert desired.images[-1].reference == PINNED_IMAGE


def test_a_checkout_that_was_edited_or_is_gone_changes_nothing_until_it_is_named_again(
    local: Scene,
) -> None:
    before = desire(local.world, MINE)
    local.commits.tree = "b" * 64
    again = desire(local.world, LLAMA)
    assert again.stack == before.stack
    assert again.lock == before.lock
    locked = as_locked(local.world, NAME)
    assert locked is not None
    assert locked.stack == before.stack
    assert desire(local.world, MINE).stack != before.stack


def test_an_image_of_a_checkout_that_is_gone_is_built_of_the_tree_as_it_is_now(
    local: Scene,
) -> None:
    local.commits.tree = "b" * 64
    local.engine.images = {one for one in local.engine.images if "vllm" not in one}
    again = desire(local.world, LLAMA)
    assert dict(again.lock.commits)["tt-metal"] == f"local-{'b' * 64}"
    assert {one.unvalidated for one in again.lock.images} == {"", METAL}
