# SPDX-License-Identifier: Apache-2.0
"""Is the room of an image that is pulled for a card checked before anything is changed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, PINNED_IMAGE, card_scene

from ttctl.errors import TtctlError
from ttctl.model.plan import How
from ttctl.model.prebuilt import Layer
from ttctl.model.spec import Request
from ttctl.operations.plan import plan
from ttctl.operations.up import up
from ttctl.rules.pull_room import UNPACKED

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

GB = 1_000_000_000
ROOT = "/var/lib/docker"


@pytest.fixture
def scene() -> Scene:
    scene = card_scene()
    scene.registry.the_layers = (
        Layer(name="a", size_bytes=2 * GB),
        Layer(name="b", size_bytes=8 * GB),
    )
    scene.weights.size_bytes = 1000
    return scene


def rooms(scene: Scene) -> list[str]:
    found = plan(scene.world, LLAMA)[1].fitness
    return [one.verdict for one in found if one.subject == "disk" and ROOT in one.summary]


def test_an_image_that_has_no_room_is_refused_before_anything_is_changed(scene: Scene) -> None:
    scene.host.free[ROOT] = 10 * (1 + UNPACKED) * GB - 1
    assert rooms(scene) == ["blocked"]
    with pytest.raises(TtctlError, match="not enough room for the images") as caught:
        up(scene.world, LLAMA)
    assert caught.value.why.startswith("47.")
    assert scene.taken() == []


def test_layers_that_are_here_need_no_room(scene: Scene) -> None:
    scene.host.free[ROOT] = 10 * (1 + UNPACKED) * GB - 1
    scene.engine.the_layers = (("a",),)
    assert rooms(scene) == ["ok"]
    up(scene.world, LLAMA)


def test_a_registry_that_does_not_tell_is_no_obstacle_and_the_plan_says_so(scene: Scene) -> None:
    scene.registry.the_layers = ()
    scene.host.free[ROOT] = 5 * GB
    assert rooms(scene) == ["unknown"]
    up(scene.world, LLAMA)


def test_nobody_is_asked_how_large_what_is_here_or_built_or_for_the_processor_is(
    scene: Scene,
) -> None:
    plan(scene.world, LLAMA, How(build=True))
    plan(scene.world, Request(model="demo", device="cpu"))
    scene.engine.images.add(PINNED_IMAGE)
    # The gateway is built.
    assert rooms(scene) == ["ok"]
    assert scene.registry.weighed == []


def test_what_is_built_counts_where_the_build_would_refuse_it(scene: Scene) -> None:
    scene.host.free[ROOT] = 0
    made = plan(scene.world, LLAMA, How(build=True))[1]
    [line] = [one for one in made.fitness if one.subject == "disk" and ROOT in one.summary]
    with pytest.raises(TtctlError, match="not enough room for the images") as caught:
        up(scene.world, LLAMA, how=How(build=True))
    assert line.verdict == "blocked"
    assert caught.value.why.partition(" are needed")[0] in line.summary
