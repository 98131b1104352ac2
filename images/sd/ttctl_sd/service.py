# SPDX-License-Identifier: Apache-2.0
"""The model, the line before it, and what is counted: everything but the wire."""

from __future__ import annotations

import base64
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl_sd.asked import SEEDS, asked
from ttctl_sd.drawing import CannotLoadError, Drawing, StoppedError, probe_of
from ttctl_sd.png import png
from ttctl_serving.line import ClosedError, Line
from ttctl_serving.log import log, where
from ttctl_serving.metrics import Metrics
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from ttctl_sd.asked import Asked, Limits
    from ttctl_sd.drawing import Abilities, Backend
    from ttctl_serving.ticket import Ticket

LOADING_RETRY_S = 10
"""When to ask again while the model loads."""
FAILURES = 3
"""So many in a row, and the service says that it is not healthy: the device may be lost.

Then nobody is sent here any more, so it draws by itself to see whether it can again.
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Progress of one image."""

    image: int
    """From 0."""
    done: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One image that is done."""

    image: int
    """From 0."""
    seed: int
    b64: str
    """The PNG in base64."""


class Service:
    """One model for all who ask."""

    def __init__(self, backend: Backend, *, served: str, limits: Limits, room: int) -> None:
        """Make the service; nothing is loaded before `load`.

        Args:
            served: The model's name.
            room: How many requests may wait.
        """
        self.served = served
        self.limits = limits
        self.state = "loading"
        """`loading`, `ready`, `failing` or `stopping`; `broken` where nothing could be loaded."""
        self.created = int(time.time())
        self.metrics = Metrics("ttctl_sd")
        self._backend = backend
        self._abilities: Abilities | None = None
        self._failures = 0
        self._began = 0.0
        self._told = 0.0
        self.line = Line(room=room)
        self.line.start(backend.close)
        self._count()

    def _count(self) -> None:
        for name, text in (
            ("images_total", "Images that were drawn and handed out."),
            ("abandoned_total", "Images that nobody waited for any more."),
            ("failures_total", "Images that the pipeline failed to draw."),
            ("drawing_seconds_total", "Seconds in which the pipeline drew."),
            ("load_seconds_total", "Seconds that loading took."),
        ):
            self.metrics.counter(name, text)
        self.metrics.gauge("waiting", "Requests that wait.", lambda: self.line.waiting)
        self.metrics.gauge("running", "Requests that are computed.", lambda: self.line.running)
        self.metrics.gauge(
            "running_seconds", "Seconds since the image began that is drawn.", self._drawing_s
        )
        self.metrics.gauge("ready", "1 once it is loaded.", lambda: int(self.state == "ready"))

    def _drawing_s(self) -> float:
        """Return how long the image is drawn already; it shows a pipeline that hangs."""
        began = self._began
        return time.monotonic() - began if began else 0.0

    async def load(self) -> None:
        """Load the model in the line's thread.

        Raises:
            CannotLoadError: It cannot be loaded.
        """
        ticket = self.line.enter(self._load, counted=False)
        try:
            async for _ in ticket.events():
                pass
        except ClosedError:
            return
        except Exception as exc:
            self.state = "broken"
            reason = str(exc) if isinstance(exc, CannotLoadError) else ""
            log("cannot load", error=type(exc).__name__, reason=reason, at=where(exc))
            raise

    def _load(self, _ticket: Ticket) -> None:
        began = time.monotonic()
        abilities = self._backend.load()
        seconds = time.monotonic() - began
        self.metrics.add("load_seconds_total", seconds)
        self._abilities = abilities
        if self.state == "loading":
            self.state = "ready"
        log("loaded", model=self.served, backend=self._backend.name, seconds=round(seconds, 3))

    def read(self, body: object) -> Asked:
        """Return what a request's JSON asks for.

        Raises:
            RefusedError: It is not allowed, or nothing is loaded yet.
        """
        if self._abilities is None:
            raise RefusedError(
                "The model is being loaded.",
                code="model_loading",
                status=503,
                kind="server_error",
                retry_after_s=LOADING_RETRY_S,
            )
        return asked(
            body,
            served=self.served,
            abilities=self._abilities,
            limits=self.limits,
            any_seed=lambda: secrets.randbelow(SEEDS),
        )

    def enter(self, wanted: Asked) -> Ticket:
        """Take a place in the line.

        Raises:
            RefusedError: The line is full, or the server stops.
        """
        return self.line.enter(lambda ticket: self._draw_all(wanted, ticket))

    def stop(self) -> None:
        """Begin nothing more."""
        self._told = self._told or time.monotonic()
        if self.state != "broken":
            self.state = "stopping"
        self.line.close()

    def until_stopped(self, seconds: float) -> float:
        """Return what is left of so many seconds since it was told to stop."""
        return max(0.0, self._told + seconds - time.monotonic())

    def _draw_all(self, wanted: Asked, ticket: Ticket) -> None:
        for image in range(wanted.images):
            if ticket.left.is_set():
                # Who has left does not hear it; who waits still does, when the server ends.
                raise ClosedError
            drawing = Drawing(
                prompt=wanted.prompt,
                negative_prompt=wanted.negative_prompt,
                width=wanted.width,
                height=wanted.height,
                steps=wanted.steps,
                guidance=wanted.guidance,
                seed=(wanted.seed + image) % SEEDS,
            )
            self._draw(drawing, image, ticket, told=wanted.stream)

    def _draw(self, drawing: Drawing, image: int, ticket: Ticket, *, told: bool) -> None:
        """Draw one image.

        Raises:
            ClosedError: Nobody waits for it any more, or the server ends.
        """
        self._began = began = time.monotonic()

        def on_step(done: int, steps: int) -> None:
            if ticket.left.is_set() and self._abilities and self._abilities.interruptible:
                raise StoppedError
            if told:
                ticket.say(Step(image=image, done=done, steps=steps))

        try:
            pixels = self._backend.draw(drawing, on_step)
        except StoppedError:
            pixels = None
        except Exception as exc:
            self._failed(exc)
            raise
        finally:
            self._began = 0.0
            self.metrics.add("drawing_seconds_total", time.monotonic() - began)
        if pixels is None or ticket.left.is_set():
            self.metrics.add("abandoned_total")
            raise ClosedError
        self._works()
        ticket.say(
            Drawn(image=image, seed=drawing.seed, b64=base64.b64encode(png(pixels)).decode())
        )
        self.metrics.add("images_total")

    async def probe(self) -> None:
        """Draw something small where drawing failed of late; if that works, all is well again."""
        if self.state != "failing" or self._abilities is None:
            return
        drawing = probe_of(self._abilities)
        with suppress(RefusedError):
            ticket = self.line.enter(lambda _ticket: self._probe(drawing), counted=False)
            async for _ in ticket.events():
                pass

    def _probe(self, drawing: Drawing) -> None:
        try:
            self._backend.draw(drawing, lambda _done, _steps: None)
        except Exception as error:  # noqa: BLE001 - whatever a pipeline raises
            log("still failing", error=type(error).__name__, at=where(error))
            return
        self._works()

    def _works(self) -> None:
        self._failures = 0
        if self.state == "failing":
            self.state = "ready"
            log("works again")

    def _failed(self, error: Exception) -> None:
        # The text of an error may repeat the prompt.
        log("failed", error=type(error).__name__, at=where(error))
        self.metrics.add("failures_total")
        self._failures += 1
        if self._failures >= FAILURES and self.state == "ready":
            self.state = "failing"
