# SPDX-License-Identifier: Apache-2.0
"""How fast is the model? Each speed that its entry names is measured, within bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.acceptance_kit import Question
from ttctl.rules.acceptance import of_speed, speeds, tier_run
from ttctl.rules.acceptance_answers import TOKENS, fault_of, job_of, measured, patience_s
from ttctl.rules.acceptance_trials import VIDEOS
from ttctl.rules.acceptance_trials import measured as asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.acceptance import Measured, TierRun
    from ttctl.model.acceptance_kit import Answer, Client, Expected
    from ttctl.model.pins import Target
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec

SPEED_S = 600.0
"""After this no further request of one speed begins."""
LEAST_S, MOST_S = 60.0, 1800.0
"""Bounds of what one request may take: upstream gives a video up to 55 minutes in its lowest tier,
and 5.5 in the one that is measured here."""
BATCHES = 4
FEWEST = 8
"""Requests of a speed, where its time allows."""
POLL_S = 1.0
DONE = frozenset({"completed", "succeeded", "done"})
OVER = frozenset({"failed", "cancelled", "canceled", "error"})

Asked = tuple[tuple["Answer", str], ...]
"""Answers with their faults."""


def measured_tiers(
    world: World, spec: ModelSpec, client: Client, *, key: str
) -> tuple[TierRun, ...]:
    """Measure every speed of an entry that can be asked; the others are left out."""
    found = []
    for speed in speeds(spec.targets):
        targets = of_speed(spec.targets, speed)
        if asked(spec, shape=speed[1], number=0) is None:
            continue
        with world.reporter.step(f"Measure {' '.join(filter(None, speed[:2]))} x {speed[2]}"):
            run = _Run(world, spec, client, key=key, targets=targets)
            found.append(tier_run(targets, run.measured()))
    return tuple(found)


def first_tier(
    world: World, spec: ModelSpec, client: Client, *, key: str, limit_s: float
) -> TierRun | None:
    """Measure the speed of the fewest users within a time; None where it cannot be asked for.

    Args:
        world: Everything outside.
        spec: An entry that names speeds.
        client: Asks its gateway.
        key: The stack's.
        limit_s: Seconds after which no further request begins, and that one may take.
    """
    speed = min(speeds(spec.targets), key=lambda one: one[2])
    targets = of_speed(spec.targets, speed)
    if asked(spec, shape=speed[1], number=0) is None:
        return None
    with world.reporter.step(f"Measure {' '.join(filter(None, speed[:2]))} x {speed[2]}"):
        run = _Run(world, spec, client, key=key, targets=targets, limit_s=limit_s)
        return tier_run(targets, run.measured())


class _Run:
    """The measurement of one speed."""

    def __init__(
        self,
        world: World,
        spec: ModelSpec,
        client: Client,
        *,
        key: str,
        targets: Sequence[Target],
        limit_s: float | None = None,
    ) -> None:
        self._world, self._spec, self._client, self._key = world, spec, client, key
        self._targets = targets
        self._at_once = max(1, targets[-1].concurrency)
        self._speed_s, most_s = limit_s or SPEED_S, limit_s or MOST_S
        self._limit_s = patience_s(targets, least_s=min(LEAST_S, most_s), most_s=most_s)
        self._number = 0

    def measured(self) -> Measured:
        task = self._targets[-1].task
        if task in TOKENS:
            # The first request of a shape may compile for it; `up` warmed up others.
            self._batch(1)
        began = self._world.clock.now()
        found: list[tuple[Answer, str]] = []
        wanted = max(FEWEST, min(BATCHES * self._at_once, 4 * FEWEST))
        while len(found) < wanted and self._world.clock.now() - began < self._speed_s:
            batch = self._batch(self._at_once)
            found += batch
            if all(fault for _, fault in batch):
                break
        good = [answer for answer, fault in found if not fault]
        return measured(
            task,
            good,
            faults=len(found) - len(good),
            concurrency=self._at_once,
        )

    def _batch(self, count: int) -> Asked:
        questions: list[tuple[Question, Expected]] = []
        for _ in range(count):
            one = asked(self._spec, shape=self._targets[-1].shape, number=self._number)
            self._number += 1
            if one is not None:
                questions.append(one)
        plain = [question for question, _ in questions]
        answers = self._client.at_once(plain, key=self._key, limit_s=self._limit_s)
        finished = [
            self._finished(answer) if expected == "job" else answer
            for answer, (_, expected) in zip(answers, questions, strict=True)
        ]
        return tuple(
            (answer, fault_of(question, answer, expected, model=self._spec.model))
            for answer, (question, expected) in zip(finished, questions, strict=True)
        )

    def _finished(self, taken: Answer) -> Answer:
        """Wait for a job's end; its time is that of the whole."""
        job, state = job_of(taken)
        began = self._world.clock.now()
        question = Question(path=f"{VIDEOS}/{job}")
        while job and state not in DONE | OVER:
            waited = self._world.clock.now() - began
            if waited > self._limit_s:
                return replace(taken, problem=f"timed out after {self._limit_s:.0f} s")
            self._world.clock.sleep(POLL_S)
            _, state = job_of(self._client.ask(question, key=self._key, limit_s=LEAST_S))
        waited = self._world.clock.now() - began
        problem = "the job failed" if state in OVER else taken.problem
        return replace(taken, seconds=taken.seconds + waited, problem=problem)
