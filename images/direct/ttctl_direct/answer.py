# SPDX-License-Identifier: Apache-2.0
"""Compute one answer, a token a step, on the thread that owns the model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Literal

from ttctl_direct.sampling import chosen
from ttctl_direct.speech import Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl_direct.asked import Asked
    from ttctl_direct.backend import Backend, Words

Finish = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """An answer that came to its end."""

    finish: Finish
    """`stop`: the model or a stop word ended it; `length`: a limit of tokens."""
    prompt_tokens: int
    tokens: int
    """Of the answer, as they were computed."""
    first_s: float
    """Seconds from the beginning of the computation to the first token."""
    seconds: float
    """Of the whole computation."""

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens after the first by the time that they took; None where there is no second one."""
        rest = self.seconds - self.first_s
        return (self.tokens - 1) / rest if self.tokens > 1 and rest > 0 else None


def speak(
    asked: Asked,
    tokens: Sequence[int],
    backend: Backend,
    words: Words,
    *,
    say: Callable[[str], None],
    left: Callable[[], bool],
    now: Callable[[], float] = time.monotonic,
) -> Spoken:
    """Compute the answer to a question.

    Args:
        tokens: Of the question; they fit.
        say: Gets each piece of text; never an empty one.
        left: Whether nobody waits for the answer any more; asked before each step.
        now: Seconds of a clock that never goes back.
    """
    most = min(asked.max_tokens, backend.context - len(tokens))
    chance, greedy = Random(asked.sampling.seed), asked.sampling.greedy  # noqa: S311 - no secret
    speech = Speech(words.text_of, asked.stop)
    start, first, count = now(), None, 0
    finish: Finish = "cancelled"
    candidates = [] if left() else backend.prefill(tokens, greedy=greedy)
    while candidates:
        token = chosen(candidates, asked.sampling, chance)
        first = now() if first is None else first
        count += 1
        if token in words.stops:
            finish = "stop"
            break
        _say(say, speech.add(token))
        if speech.stopped or count == most:
            finish = "stop" if speech.stopped else "length"
            break
        candidates = [] if left() else backend.decode(token, greedy=greedy)
    _say(say, speech.end())
    end = now()
    return Spoken(
        finish=finish,
        prompt_tokens=len(tokens),
        tokens=count,
        first_s=(end if first is None else first) - start,
        seconds=end - start,
    )


def _say(say: Callable[[str], None], text: str) -> None:
    if text:
        say(text)
