# SPDX-License-Identifier: Apache-2.0
"""What the picture model learns from: scenes, and words for them."""

import random
from types import ModuleType

import pytest


def test_another_seed_gives_other_scenes(scenes: ModuleType) -> None:
    first = scenes.scenes(20, seed=1)
    assert first == scenes.scenes(20, seed=1)
    assert first != scenes.scenes(20, seed=2)


def test_every_pair_of_colour_and_shape_is_trained_on(scenes: ModuleType) -> None:
    pairs = {(scene.colour, scene.shape) for scene in scenes.scenes(3000, seed=scenes.SEED)}
    assert len(pairs) == len(scenes.COLOURS) * len(scenes.SHAPES)


def test_a_shape_lies_inside_of_its_picture(scenes: ModuleType) -> None:
    for scene in scenes.scenes(500, seed=4):
        reached = max((abs(v) for point in scenes.corners(scene.shape) for v in point), default=1)
        for middle in scene.centre:
            assert scene.radius * reached < min(middle, 1 - middle)


def test_the_words_name_the_colour_and_the_shape(scenes: ModuleType) -> None:
    dice = random.Random(2)  # noqa: S311 - no secret
    for scene in scenes.scenes(500, seed=5):
        words = scenes.words_for(scene, dice).lower()
        assert any(said in words for said in scenes.SAID_ALSO.get(scene.colour, (scene.colour,)))
        assert any(said in words for said in scenes.SAID_ALSO[scene.shape])
        assert "  " not in words


@pytest.mark.parametrize("ground", ["white", "grey"])
def test_a_grey_background_is_always_said_and_a_white_one_seldom(
    scenes: ModuleType, ground: str
) -> None:
    dice = random.Random(6)  # noqa: S311
    found = [scene for scene in scenes.scenes(2000, seed=6) if scene.ground == ground]
    said = sum("background" in scenes.words_for(scene, dice) for scene in found) / len(found)
    assert said == 1 if ground == "grey" else said < 0.3
