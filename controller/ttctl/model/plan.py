# SPDX-License-Identifier: Apache-2.0
"""What a plan is made of. Values only: nothing here reads, writes or prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verb = Literal[
    "pull", "bootstrap", "build", "fetch", "key", "write", "start", "wait", "stop", "remove", "skip"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that will happen, and why. Skipping is a step too."""

    verb: Verb
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would happen, in order."""

    stack: str
    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do something; waiting and skipping change nothing."""
        return tuple(step for step in self.steps if step.verb not in {"skip", "wait"})

    def wants(self, verb: Verb, subject: str) -> bool:
        """Return whether this step is part of the plan."""
        return any(step.verb == verb and step.subject == subject for step in self.steps)
