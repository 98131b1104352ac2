# SPDX-License-Identifier: Apache-2.0
"""The model, the line before it, and what is counted: everything but the wire."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl_direct.answer import speak
from ttctl_direct.prompts import Prompts
from ttctl_serving.line import ClosedError, Line
from ttctl_serving.log import log, where
from ttctl_serving.metrics import Metrics
from ttctl_serving.refusal import RefusedError

if TYPE_CHECKING:
    from ttctl_direct.answer import Spoken
    from ttctl_direct.asked import Asked
    from ttctl_direct.backend import Backend, Words
    from ttctl_serving.ticket import Ticket

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""
OUTCOMES = ("stop", "length", "cancelled", "bad", "full", "failed")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer that came to its end, and how long it had waited for its turn."""

    spoken: Spoken
    queued_s: float
    text: str
    """The whole answer; empty where it was handed over piece by piece."""

    @property
    def first_s(self) -> float:
        """Seconds from the request to its first token."""
        return self.queued_s + self.spoken.first_s


class Service:
    """One model for all who ask; `line.work` is for the thread that loaded it."""

    def __init__(self, backend: Backend, words: Words, *, model: str, places: int) -> None:
        """Make the service.

        Args:
            model: Its name.
            places: How many requests may wait besides the one that is answered.
        """
        self.model = model
        self.state = "ok"
        """`ok` or `stopping`; `failed` where the model is never asked again."""
        self.line = Line(room=places)
        self.metrics = Metrics("ttctl_direct")
        self._backend, self._words = backend, words
        self._prompts = Prompts(words, backend)
        self._declare(places)

    def _declare(self, places: int) -> None:
        metrics = self.metrics
        metrics.counter("answers_total", "Questions by how they ended.")
        for one in OUTCOMES:
            metrics.add("answers_total", 0, outcome=one)
        metrics.counter("tokens_total", "Tokens that were computed.")
        for one in ("prompt", "answer"):
            metrics.add("tokens_total", 0, kind=one)
        metrics.counter("busy_seconds_total", "Seconds in which the model computed.")
        metrics.histogram("first_token_seconds", "From the request to its first token.", BUCKETS)
        metrics.gauge("waiting", "Requests that wait for their turn.", lambda: self.line.waiting)
        metrics.gauge("places", "Requests that may wait.", lambda: places)
        metrics.gauge("running", "Requests that are answered.", lambda: self.line.running)

    async def enter(self, asked: Asked) -> Ticket:
        """Take a place in the line; `Answered` is its last event, pieces of a stream come before.

        Raises:
            RefusedError: The prompt does not fit, the line is full, the server stops, or the model
                has failed for good.
        """
        if self.state == "failed":
            raise failed()
        came = time.monotonic()
        with self.line.coming():
            tokens = await self._prompts.tokens_of(asked)
        return self.line.enter(lambda ticket: self._answer(asked, tokens, ticket, came))

    def count(self, answered: Answered) -> None:
        """Add an answer that somebody waited for."""
        spoken, add = answered.spoken, self.metrics.add
        add("tokens_total", spoken.prompt_tokens, kind="prompt")
        add("tokens_total", spoken.tokens, kind="answer")
        add("busy_seconds_total", spoken.seconds)
        self.metrics.observe("first_token_seconds", answered.first_s)

    def stop(self) -> None:
        """Begin nothing more."""
        if self.state == "ok":
            self.state = "stopping"
        self.line.close()

    def _answer(self, asked: Asked, tokens: list[int], ticket: Ticket, came: float) -> None:
        if self.state == "failed":
            raise failed()
        queued_s = time.monotonic() - came
        # Who waits for the whole is not woken for each token: that would take time from the model.
        pieces: list[str] = []
        say = ticket.say if asked.stream else pieces.append
        try:
            left = ticket.left.is_set
            spoken = speak(asked, tokens, self._backend, self._words, say=say, left=left)
        except RefusedError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever tt-metal or torch raises
            # Its text may hold what was asked: the kind alone is said.
            log("failed", error=type(error).__name__, at=where(error))
            if not self._backend.survives:
                self.state = "failed"
            raise failed() from None
        if spoken.finish == "cancelled":
            # Who has left does not hear it.
            raise ClosedError
        ticket.say(Answered(spoken=spoken, queued_s=queued_s, text="".join(pieces)))


def failed() -> RefusedError:
    """Return what is said where the model does not answer."""
    return RefusedError(
        "The model does not answer; see the service's log.",
        code="engine_failed",
        status=503,
        kind="server_error",
    )
