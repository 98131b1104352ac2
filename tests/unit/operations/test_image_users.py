# SPDX-License-Identifier: Apache-2.0
"""Is the user of a pulled image the one that is rendered, prepared for, and kept in the lock?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, PINNED, card_scene
from tests.unit.rules.explained import unexplained
from tests.unit.rules.validated import PINS

from ttctl.errors import EngineError
from ttctl.operations.desire import desire
from ttctl.operations.up import up

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

CURRENT = replace(
    PINNED,
    pins=replace(
        PINS,
        image="registry.example.org/vllm:0.13.0-25305db-6e67d2d",
        version="0.13.0",
        contract="vllm-current",
    ),
)


@pytest.fixture
def scene() -> Scene:
    return card_scene(CURRENT)


def prepared(scene: Scene) -> str:
    (found,) = (one for one in scene.taken() if one.startswith("prepare "))
    return found


def test_the_user_of_a_pulled_image_is_rendered_and_its_cache_made_for_it(scene: Scene) -> None:
    scene.registry.user = "15863"
    engine = desire(scene.world, LLAMA).stack.engine
    assert (engine.confinement.user, unexplained(engine)) == ("15863:15863", ())
    up(scene.world, LLAMA)
    assert prepared(scene).endswith(" for 15863")


def test_the_lock_says_it_from_then_on_and_no_registry_is_asked(scene: Scene) -> None:
    scene.registry.user = "15863"
    engine = desire(scene.world, LLAMA).stack.engine
    up(scene.world, LLAMA)
    scene.registry.asked.clear()
    scene.registry.answers = False
    again = desire(scene.world, LLAMA)
    assert again.stack.engine == engine
    assert [one.user for one in again.lock.images if one.user] == ["15863"]
    assert scene.registry.asked == []


def test_an_image_that_is_here_tells_it_where_an_older_lock_does_not(scene: Scene) -> None:
    up(scene.world, LLAMA)
    (image,) = (one for one in desire(scene.world, LLAMA).images if one.prebuilt)
    scene.engine.images.add(image.reference)
    scene.engine.users[image.reference] = "2001"
    assert desire(scene.world, LLAMA).stack.engine.confinement.user == "2001:2001"


def test_upstream_s_release_says_it_where_nobody_could_be_asked(scene: Scene) -> None:
    unlocked = desire(scene.world, LLAMA, unlocked=True)
    assert unlocked.stack.engine.confinement.user == "1000:1000"
    up(scene.world, LLAMA)
    assert prepared(scene).endswith(" for 1000")


def test_an_image_of_a_user_that_its_contract_does_not_know_is_refused_before_anything_changes(
    scene: Scene,
) -> None:
    scene.registry.user = "root"
    with pytest.raises(EngineError, match="starts as the user 'root'"):
        up(scene.world, LLAMA)
    assert [one for one in scene.taken() if one.startswith(("pull", "prepare", "create"))] == []
