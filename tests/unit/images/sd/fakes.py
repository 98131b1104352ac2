# SPDX-License-Identifier: Apache-2.0
"""A back end without a model, and stand-ins of what the real ones call."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ttctl_sd.drawing import Abilities, CannotLoadError, Pixels

if TYPE_CHECKING:
    from ttctl_sd.drawing import Drawing, OnStep

ABILITIES = Abilities(
    default_size=(16, 16), default_steps=3, default_guidance=5.0, interruptible=True
)


class FakeBackend:
    """Draws one colour, which follows from what is asked; waits where a test says so."""

    name = "fake"

    def __init__(self, abilities: Abilities = ABILITIES, *, broken: str = "") -> None:
        self.abilities = abilities
        self.broken = broken
        self.drawn: list[Drawing] = []
        self.steps = 0
        self.closed = False
        self.fails = 0
        self.may_load = threading.Event()
        self.may_step = threading.Event()
        self.stepping = threading.Event()
        self.threads: set[str] = set()
        self.may_load.set()
        self.may_step.set()

    def load(self) -> Abilities:
        self.threads.add(threading.current_thread().name)
        assert self.may_load.wait(20)
        if self.broken:
            raise CannotLoadError(self.broken)
        return self.abilities

    def draw(self, drawing: Drawing, on_step: OnStep) -> Pixels:
        self.threads.add(threading.current_thread().name)
        self.drawn.append(drawing)
        if self.fails:
            self.fails -= 1
            raise RuntimeError(f"cannot draw {drawing.prompt}")
        for done in range(1, drawing.steps + 1):
            self.stepping.set()
            assert self.may_step.wait(20)
            self.steps += 1
            on_step(done, drawing.steps)
        colour = bytes([drawing.seed % 256, len(drawing.prompt) % 256, drawing.steps])
        return Pixels(
            width=drawing.width,
            height=drawing.height,
            rgb=colour * (drawing.width * drawing.height),
        )

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed = True
