# SPDX-License-Identifier: Apache-2.0
"""What a back end is asked for and what it gives back. Values and one protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    OnStep = Callable[[int, int], None]
    """Called with the steps that are done and how many there are."""


PROBE_STEPS = 2
PROBE_MULTIPLES = 8
"""A side of a probe, by the pixels of which sides are multiples."""


class CannotLoadError(Exception):
    """The weights or the pipeline cannot be loaded; the text says what is missing."""


class StoppedError(Exception):
    """Whoever asked has left; raised by `on_step` inside of a pipeline that may be interrupted."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One image that is wanted."""

    prompt: str
    negative_prompt: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    steps: int
    guidance: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """One image as it was drawn."""

    width: int
    height: int
    rgb: bytes
    """Rows from the top, three bytes a pixel."""


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What a loaded pipeline takes."""

    default_size: tuple[int, int]
    """Width and height, pixels."""
    default_steps: int
    default_guidance: float
    sizes: tuple[tuple[int, int], ...] = ()
    """The only sizes it draws; empty where any multiple of `multiple` is drawn."""
    multiple: int = 8
    """Pixels by which both sides divide."""
    negative_prompt: bool = True
    guidance: bool = True
    """Whether guidance can be chosen; else it is fixed at its default."""
    interruptible: bool = False
    """Whether `on_step` may raise StoppedError."""


def probe_of(abilities: Abilities) -> Drawing:
    """Return a drawing that is soon done, and shows whether anything can be drawn."""
    width, height = abilities.default_size
    if not abilities.sizes:
        side = PROBE_MULTIPLES * abilities.multiple
        width, height = min(side, width), min(side, height)
    return trial_of(abilities, "probe", size=(width, height), steps=PROBE_STEPS)


def trial_of(abilities: Abilities, prompt: str, *, size: tuple[int, int], steps: int) -> Drawing:
    """Return a drawing that nobody asked for: the same each time."""
    width, height = size
    return Drawing(
        prompt=prompt,
        negative_prompt="",
        width=width,
        height=height,
        steps=steps,
        guidance=abilities.default_guidance,
        seed=0,
    )


class Backend(Protocol):
    """A model that was loaded once. Every call comes from one and the same thread."""

    name: str

    def load(self) -> Abilities:
        """Load the model and draw once, so that the first who asks does not wait for compiling.

        Raises:
            CannotLoadError: The weights or the pipeline are not there, or not of a known kind.
        """

    def draw(self, drawing: Drawing, on_step: OnStep) -> Pixels:
        """Draw one image; equal drawings give equal pixels.

        Raises:
            StoppedError: `on_step` raised it, and the pipeline was interrupted.
        """

    def close(self) -> None:
        """Give the device back."""
