#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scenes that demo-sd learns from, and the words that ask for them. Pure.

`python scenes.py --show 5` prints the checksum of the scenes and some of them.
"""

import argparse
import hashlib
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

SEED = 20260801
COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 70),
    "blue": (45, 85, 220),
    "yellow": (245, 215, 40),
    "orange": (245, 140, 30),
    "purple": (140, 60, 190),
    "pink": (245, 130, 180),
    "black": (25, 25, 25),
}
"""Red, green and blue, 0 to 255."""
GROUNDS = {"white": (250, 250, 250), "grey": (190, 190, 190)}
SHAPES = ("circle", "square", "triangle", "star")
SIZES = {"small": (0.17, 0.24), "": (0.29, 0.4), "large": (0.41, 0.46)}
"""Word to the least and the greatest radius, in sides of the picture."""
REACH = 0.05
"""How far from the middle a shape may lie, in sides of the picture."""
MARGIN = 0.03
WHITE_IS_SAID, CAPITAL = 0.2, 0.3
"""How often a white background is named, and how often a text begins with a capital."""
BEFORE = (
    "", "", "", "a", "a", "a", "one", "the", "a picture of a", "an image of a", "draw a",
    "paint a", "a drawing of a", "a photo of a", "please draw a", "show me a", "make a",
    "i want a", "generate an image of a", "a simple", "a nice", "a beautiful", "create a",
    "can you draw a", "a single", "a painting of a", "give me a", "a bright", "a plain",
)  # fmt: skip
AFTER = (
    "", "", "", "", ".", "!", "please", ", minimal", ", high quality", ", 4k", "in the middle",
    ", centered", ", simple", ", flat design", ", clean", "shape",
)  # fmt: skip
JOINED = (
    "{colour} {shape}", "{colour} {shape}", "{colour} {shape}", "{shape} in {colour}",
    "{shape} that is {colour}", "{shape}, {colour}", "{colour} coloured {shape}",
)  # fmt: skip
SAID_ALSO = {
    "small": ("small", "little", "tiny"),
    "large": ("large", "big", "huge"),
    "circle": ("circle", "circle", "circle", "disc", "disk", "round circle"),
    "square": ("square", "square", "square", "box"),
    "triangle": ("triangle",),
    "star": ("star", "star", "five pointed star"),
    "purple": ("purple", "purple", "violet"),
    "grey": ("grey", "gray"),
}
"""The word of a scene to the words that people use for it."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is in a picture."""

    colour: str
    shape: str
    size: str
    ground: str
    centre: tuple[float, float]
    """From the left and from the top, in sides of the picture."""
    radius: float
    """In sides of the picture."""


def any_scene(dice: random.Random) -> Scene:
    """Return a scene at random."""
    size = dice.choice(["", "", *SIZES])
    radius = dice.uniform(*SIZES[size])
    reach = min(REACH, 0.5 - MARGIN - radius)
    return Scene(
        colour=dice.choice(list(COLOURS)),
        shape=dice.choice(SHAPES),
        size=size,
        ground=dice.choice(["white", "white", *GROUNDS]),
        centre=(0.5 + dice.uniform(-reach, reach), 0.5 + dice.uniform(-reach, reach)),
        radius=radius,
    )


def scenes(count: int, *, seed: int) -> list[Scene]:
    """Return scenes; equal arguments give equal ones."""
    dice = random.Random(seed)  # noqa: S311 - drawn pictures, no secret
    return [any_scene(dice) for _ in range(count)]


def _said(word: str, dice: random.Random) -> str:
    return dice.choice(SAID_ALSO.get(word, (word,)))


def words_for(scene: Scene, dice: random.Random) -> str:
    """Return one of the many ways to ask for a scene."""
    said = dice.choice(JOINED).format(
        colour=_said(scene.colour, dice), shape=_said(scene.shape, dice)
    )
    ground = f"on a {_said(scene.ground, dice)} background" if scene.ground != "white" else ""
    if not ground and dice.random() < WHITE_IS_SAID:
        ground = "on a white background"
    size = _said(scene.size, dice) if scene.size else ""
    words = " ".join(one for one in (dice.choice(BEFORE), size, said, ground) if one)
    after = dice.choice(AFTER)
    text = f"{words}{'' if not after or after[0] in '.,!' else ' '}{after}"
    return text.capitalize() if dice.random() < CAPITAL else text


def texts(count: int, *, seed: int) -> Iterator[str]:
    """Yield words that ask for scenes; equal arguments give equal ones."""
    dice = random.Random(seed)  # noqa: S311
    for scene in scenes(count, seed=seed):
        yield words_for(scene, dice)


def corners(shape: str) -> tuple[tuple[float, float], ...]:
    """Return the corners of a shape around (0, 0) with radius 1; none for a circle."""
    match shape:
        case "circle":
            return ()
        case "square":
            return ((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88))
        case "triangle":
            return ((0.0, -1.0), (0.95, 0.8), (-0.95, 0.8))
    tips = ((0.0, -1.0), (0.951, -0.309), (0.588, 0.809), (-0.588, 0.809), (-0.951, -0.309))
    notches = ((0.265, -0.364), (0.428, 0.139), (0.0, 0.45), (-0.428, 0.139), (-0.265, -0.364))
    around = [point for pair in zip(tips, notches, strict=True) for point in pair]
    return tuple((x * 1.06, y * 1.06) for x, y in around)


def sha256(count: int = 1000) -> str:
    """Return the checksum of what the model is trained on."""
    shown = [scenes(count, seed=SEED), list(texts(count, seed=SEED)), COLOURS, GROUNDS]
    points = [corners(shape) for shape in SHAPES]
    return hashlib.sha256(repr((shown, points)).encode()).hexdigest()


def main() -> None:
    """Print the checksum and some scenes with their words."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--show", type=int, default=5)
    count = parser.parse_args().show
    sys.stdout.write(f"{sha256()}\n")
    for scene, words in zip(scenes(count, seed=SEED), texts(count, seed=SEED), strict=True):
        sys.stdout.write(f"{words!r}  {scene}\n")


if __name__ == "__main__":
    main()
