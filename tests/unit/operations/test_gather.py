# SPDX-License-Identifier: Apache-2.0
"""Is all that a card's stack needs had at once, and a processor's one after the other?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import NothingFitsError, TtctlError
from ttctl.model.spec import Request
from ttctl.operations.desire import Desired, desire
from ttctl.operations.gather import gather
from ttctl.operations.preflight import preflight
from ttctl.operations.steps import plan_for

IN_ORDER = ["base", "build base", "build torch", "build vllm-cpu", "build gateway"]


def wanted(scene: Scene, device: str, *, memory_gb: int = 0) -> Desired:
    found = desire(scene.world, Request(model="llama"))
    images = tuple(replace(image, memory_gb=memory_gb) for image in found.images)
    serving = replace(found.serving, images=images)
    return replace(found, spec=replace(found.spec, device=device), serving=serving)


def test_on_the_processor_one_follows_the_other_in_steps_of_their_own() -> None:
    scene = Scene()
    desired = wanted(scene, "cpu")
    gather(scene.world, desired, plan_for(scene.world, desired))
    assert scene.taken() == [*IN_ORDER, "fetch acme/Small-1B"]
    assert "Build torch" in scene.reporter.steps


def test_for_a_card_each_starts_once_its_parent_is_done_and_weights_come_meanwhile() -> None:
    scene = Scene()
    desired = wanted(scene, "n150", memory_gb=16)
    gather(scene.world, desired, plan_for(scene.world, desired))
    done = scene.taken()
    assert sorted(done) == sorted([*IN_ORDER, "fetch acme/Small-1B"])
    for first, then in (
        ("base", "build base"), ("build base", "build torch"), ("build torch", "build vllm-cpu"),
        ("build base", "build gateway"),
    ):  # fmt: skip
        assert done.index(first) < done.index(then)
    (step,) = scene.reporter.steps
    assert "Build torch; " in step
    assert "Fetch weights acme/Small-1B" in step


@pytest.mark.parametrize("device", ["cpu", "n150"])
def test_an_image_with_a_verify_is_held_against_it_before_anything_stands_on_it(
    device: str,
) -> None:
    scene = Scene()
    found = wanted(scene, device, memory_gb=16)
    images = tuple(
        replace(one, verify="#!/bin/bash\n" if one.name == "torch" else "") for one in found.images
    )
    desired = replace(found, serving=replace(found.serving, images=images))
    gather(scene.world, desired, plan_for(scene.world, desired))
    done = scene.taken()
    wanted_order = [done.index(one) for one in ("build torch", "verify torch", "build vllm-cpu")]
    assert wanted_order == sorted(wanted_order)
    assert [one for one in done if one.startswith("verify")] == ["verify torch"]


def test_nothing_is_done_where_all_is_here() -> None:
    scene = Scene()
    desired = wanted(scene, "n150")
    gather(scene.world, desired, plan_for(scene.world, desired))
    scene.taken()
    gather(scene.world, desired, plan_for(scene.world, desired))
    assert scene.taken() == []


def test_a_build_that_the_memory_does_not_hold_is_refused_before_anything_changes() -> None:
    scene = Scene()
    desired = wanted(scene, "n150", memory_gb=1000)
    with pytest.raises(NothingFitsError, match="too little memory to build 'base'") as caught:
        preflight(scene.world, desired, plan_for(scene.world, desired))
    assert caught.value.why == "1000 GB are needed, 34.4 GB are there."
    assert scene.taken() == []


def test_the_room_of_a_build_is_what_its_recipe_says() -> None:
    scene = Scene()
    desired = wanted(scene, "cpu")
    images = tuple(replace(image, disk_gb=10_000) for image in desired.images)
    desired = replace(desired, serving=replace(desired.serving, images=images))
    scene.host.free[scene.engine.info().root_dir] = 20 * 10**12
    with pytest.raises(TtctlError, match="There is not enough room for the images") as caught:
        preflight(scene.world, desired, plan_for(scene.world, desired))
    assert caught.value.why == "37252.9 GiB are needed, 18626.5 GiB are free."
