# SPDX-License-Identifier: Apache-2.0
"""The judge of the pictures is right about pictures that are known. No torch is needed here."""

import random
from collections.abc import Callable
from types import ModuleType

import pytest

Colour = tuple[int, int, int]
Pixel = Callable[[int, int], Colour]

SIDE = 64
WHITE = (250, 250, 250)
RED, BLUE = (220, 40, 40), (45, 85, 220)


def noisy(colour: Colour, dice: random.Random) -> Colour:
    red, green, blue = (min(255, max(0, part + dice.randrange(-20, 21))) for part in colour)
    return red, green, blue


def painted(judge: ModuleType, shape: str, colour: Colour, radius: float) -> Pixel:
    """Return a picture of one shape, a little beside the middle, with noise on its colours."""
    mask = judge.perfect(shape, judge.size_and_middle(shape)[0] * radius**2, (30.0, 33.0), SIDE)
    dice = random.Random(3)  # noqa: S311 - no secret
    pixels = {
        (x, y): noisy(colour if (x, y) in mask else WHITE, dice)
        for y in range(SIDE)
        for x in range(SIDE)
    }
    return lambda x, y: pixels[x, y]


@pytest.mark.parametrize("shape", ["circle", "square", "triangle", "star"])
@pytest.mark.parametrize("radius", [14.0, 22.0])
def test_a_drawn_shape_is_known_again(judge: ModuleType, shape: str, radius: float) -> None:
    seen = judge.look(painted(judge, shape, RED, radius), SIDE)
    assert (seen.colour, seen.shape) == ("red", shape)
    assert seen.overlaps[shape] > 0.95
    assert all(found < 0.92 for name, found in seen.overlaps.items() if name != shape)


def test_every_colour_is_known_again(judge: ModuleType, scenes: ModuleType) -> None:
    for name, colour in scenes.COLOURS.items():
        assert judge.look(painted(judge, "circle", colour, 18.0), SIDE).colour == name


def test_an_empty_picture_shows_nothing(judge: ModuleType) -> None:
    seen = judge.look(lambda _x, _y: WHITE, SIDE)
    assert (seen.colour, seen.shape, seen.share) == ("", "", 0.0)


def test_noise_of_many_colours_fits_no_shape(judge: ModuleType, scenes: ModuleType) -> None:
    dice = random.Random(1)  # noqa: S311
    colours = [*scenes.COLOURS.values(), *[WHITE] * 8]
    pixels = {(x, y): dice.choice(colours) for x in range(SIDE) for y in range(SIDE)}
    seen = judge.look(lambda x, y: pixels[x, y], SIDE)
    assert max(seen.overlaps.values()) < 0.5
    assert seen.share < 0.5


def test_the_verdict_counts_what_was_asked_for(judge: ModuleType) -> None:
    seen = [
        judge.look(painted(judge, "star", RED, 20.0), SIDE),
        judge.look(painted(judge, "circle", BLUE, 20.0), SIDE),
    ]
    found = judge.verdict([("red", "star"), ("red", "square")], seen)
    assert (found.pictures, found.colours, found.shapes) == (2, 1, 1)
    assert found.named > found.others


def test_twenty_seeds_ask_for_every_colour_in_every_shape(judge: ModuleType) -> None:
    asked = [pair for seed in range(20) for pair in judge.prompts(seed)]
    assert len(asked) == 160
    assert {asked.count(pair) for pair in asked} == {5}
    assert len(set(asked)) == 32
