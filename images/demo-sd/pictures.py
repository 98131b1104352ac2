# SPDX-License-Identifier: Apache-2.0
"""Draw a scene. Needs Pillow."""

from PIL import Image, ImageDraw
from scenes import COLOURS, GROUNDS, Scene, corners

FINER, LARGE_FINER = 4, 2
"""How many times larger a picture is drawn, so that its edges are smooth."""
LARGE = 256
"""Pixels of a side from which on less will do."""


def draw(scene: Scene, side: int) -> Image.Image:
    """Return the picture of a scene.

    Args:
        scene: What to draw.
        side: Pixels of the picture's width and height.
    """
    finer = FINER if side < LARGE else LARGE_FINER
    whole = side * finer
    picture = Image.new("RGB", (whole, whole), GROUNDS[scene.ground])
    pen = ImageDraw.Draw(picture)
    x, y, radius = scene.centre[0] * whole, scene.centre[1] * whole, scene.radius * whole
    colour = COLOURS[scene.colour]
    points = [(x + dx * radius, y + dy * radius) for dx, dy in corners(scene.shape)]
    if points:
        pen.polygon(points, fill=colour)
    else:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return picture.resize((side, side), Image.Resampling.BOX)
