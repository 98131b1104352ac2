# SPDX-License-Identifier: Apache-2.0
"""Does the model work? Two minutes, by the paths of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.acceptance import Check, Looked
from ttctl.model.acceptance_kit import Question
from ttctl.rules.acceptance_answers import job_of, why_not
from ttctl.rules.acceptance_trials import ANSWERED, VIDEOS, trials

if TYPE_CHECKING:
    from ttctl.model.acceptance_kit import Answer, Client, Trial
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec

SMOKE_S = 120.0
"""For all trials together; what does not fit is told as skipped."""
LEAST_S = 1.0


def smoked(world: World, spec: ModelSpec, client: Client, *, key: str) -> tuple[Looked, ...]:
    """Try everything that is tried of the model's kind; of an unknown kind nothing can be."""
    wanted = trials(spec)
    if not wanted:
        return (_skipped(ANSWERED, f"nothing is known to ask a model of type {spec.type}"),)
    ends = world.clock.now() + SMOKE_S
    with world.reporter.step(f"Try the model (at most {SMOKE_S:.0f} s)"):
        return tuple(_tried(world, spec, client, one, key=key, ends=ends) for one in wanted)


def _tried(
    world: World, spec: ModelSpec, client: Client, trial: Trial, *, key: str, ends: float
) -> Looked:
    left_s = ends - world.clock.now()
    if left_s < LEAST_S:
        return _skipped(trial.name, f"the {SMOKE_S:.0f} s were over")
    answers = client.at_once(trial.questions, key=key, limit_s=left_s)
    fault = why_not(trial, answers, model=spec.model)
    if trial.expected == "job" and not fault:
        _cancel(client, answers[0], key=key, limit_s=left_s)
    seconds = max((one.seconds for one in answers), default=0.0)
    check = Check(
        name=trial.name, part="smoke", outcome="failed" if fault else "passed", seconds=seconds
    )
    return Looked(check=check, detail=fault)


def _cancel(client: Client, answer: Answer, *, key: str, limit_s: float) -> None:
    """End a job that only showed that jobs are taken: the next one would wait for it."""
    job, _ = job_of(answer)
    client.ask(Question(path=f"{VIDEOS}/{job}/cancel", body=b"{}"), key=key, limit_s=limit_s)


def _skipped(name: str, why: str) -> Looked:
    return Looked(check=Check(name=name, part="smoke", outcome="skipped"), detail=why)
