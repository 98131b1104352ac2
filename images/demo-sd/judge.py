# SPDX-License-Identifier: Apache-2.0
"""What colour and what shape is in a picture? Pure: no model, no library, only pixels.

The words are not looked at here: what is seen is compared with them by whoever asks.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from scenes import COLOURS, GROUNDS, SHAPES, corners

Colour = tuple[int, int, int]
Mask = frozenset[tuple[int, int]]
PALETTE = COLOURS | GROUNDS
LEAST = 0.03
"""Share of a picture that a shape covers at least; less is nothing."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is in a picture."""

    colour: str
    """The colour of most of what is not background; empty where nothing is."""
    share: float
    """Of what is not background, the part that has this colour."""
    overlaps: dict[str, float]
    """Shape to intersection over union with a perfect one of the same area at the same place."""

    @property
    def shape(self) -> str:
        """The shape that fits best."""
        return max(self.overlaps, key=lambda name: self.overlaps[name]) if self.colour else ""


def inside(shape: str, x: float, y: float) -> bool:
    """Say whether a point lies in a shape around (0, 0) with radius 1."""
    points = corners(shape)
    if not points:
        return x * x + y * y <= 1
    crossed = False
    for (ax, ay), (bx, by) in zip(points, (*points[1:], points[0]), strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            crossed = not crossed
    return crossed


@cache
def size_and_middle(shape: str) -> tuple[float, float, float]:
    """Return the area of a shape with radius 1 and its centre of mass, by counting a fine grid."""
    fine = [step / 100 - 1.2 for step in range(241)]
    found = [(x, y) for x in fine for y in fine if inside(shape, x, y)]
    count = len(found)
    return count / 1e4, sum(x for x, _ in found) / count, sum(y for _, y in found) / count


@cache
def nearest(colour: Colour) -> str:
    """Return the name of the known colour that is least far away."""
    return min(PALETTE, key=lambda name: math.dist(PALETTE[name], colour))


def perfect(shape: str, area: float, middle: tuple[float, float], side: int) -> Mask:
    """Return the pixels of a perfect shape with this area (pixels) and centre of mass."""
    unit, off_x, off_y = size_and_middle(shape)
    radius = math.sqrt(area / unit)
    x, y = middle[0] - off_x * radius, middle[1] - off_y * radius
    return frozenset(
        (column, row)
        for row in range(side)
        for column in range(side)
        if inside(shape, (column - x) / radius, (row - y) / radius)
    )


def overlap(one: Mask, other: Mask) -> float:
    """Return intersection over union."""
    return len(one & other) / max(1, len(one | other))


def look(pixel: Callable[[int, int], Colour], side: int) -> Seen:
    """Return what is in a square picture.

    Args:
        pixel: Column and row to red, green and blue, 0 to 255.
        side: Pixels.
    """
    names = {(x, y): nearest(pixel(x, y)) for y in range(side) for x in range(side)}
    counts = Counter(name for name in names.values() if name in COLOURS)
    mask = frozenset(place for place, name in names.items() if name in COLOURS)
    if len(mask) < LEAST * side * side:
        return Seen(colour="", share=0.0, overlaps=dict.fromkeys(SHAPES, 0.0))
    middle = (sum(x for x, _ in mask) / len(mask), sum(y for _, y in mask) / len(mask))
    colour, most = counts.most_common(1)[0]
    return Seen(
        colour=colour,
        share=most / len(mask),
        overlaps={
            shape: overlap(mask, perfect(shape, len(mask), middle, side)) for shape in SHAPES
        },
    )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How many of the pictures show what was asked for."""

    pictures: int
    colours: int
    """In how many the named colour dominates."""
    shapes: int
    """In how many the named shape fits best of all; by chance one in four."""
    named: float
    """Mean overlap with the named shape."""
    others: float
    """Mean overlap with the other shapes: what a picture that knows no shape would get."""


def verdict(asked: Sequence[tuple[str, str]], seen: Sequence[Seen]) -> Verdict:
    """Compare what is seen with what was asked for: colour and shape, one pair a picture."""
    pairs = list(zip(asked, seen, strict=True))
    others = [one.overlaps[name] for (_, shape), one in pairs for name in SHAPES if name != shape]
    return Verdict(
        pictures=len(pairs),
        colours=sum(one.colour == colour for (colour, _), one in pairs),
        shapes=sum(one.shape == shape for (_, shape), one in pairs),
        named=sum(one.overlaps[shape] for (_, shape), one in pairs) / len(pairs),
        others=sum(others) / len(others),
    )


def prompts(seed: int) -> Iterator[tuple[str, str]]:
    """Yield a colour and a shape: every colour once, and with the next seed another shape."""
    for number, colour in enumerate(COLOURS):
        yield colour, SHAPES[(number + seed) % len(SHAPES)]
