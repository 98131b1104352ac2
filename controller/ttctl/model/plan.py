# SPDX-License-Identifier: Apache-2.0
"""What a plan is made of. Values only: nothing here reads, writes or prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from ttctl.model.match import Finding, Match
    from ttctl.model.override import Override

Verb = Literal[
    "pull", "bootstrap", "build", "fetch", "key", "lease", "reset", "write", "start", "wait",
    "stop", "remove", "skip",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that will happen, and why. Skipping is a step too."""

    verb: Verb
    subject: str
    reason: str


StackForm = Literal["compose", "run", "quadlet"]
"""What a stack is rendered for: docker compose, docker run, podman's quadlets."""

PullPolicy = Literal["always", "missing", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What `up` is to do though it need not, in compose's words."""

    build: bool = False
    """Build every image of ours again; what did not change comes from the build cache."""
    build_word: str = "--build"
    """What was typed for that."""
    pull: PullPolicy = "missing"
    """Whether images that are pulled are pulled again, when missing, or not at all."""
    recreate: bool = False
    """Replace containers that run as wanted too."""
    wait: bool = True
    """Wait until the stack has answered."""
    reset: bool = False
    """Reset boards first that a killed engine left behind."""
    stale: Literal["keep", "ask", "remove"] = "keep"
    """What becomes of files that a killed engine left on the hugepages of the stack's boards:
    `keep` says that they are there, `ask` refuses until somebody said what is wanted."""


AS_NEEDED = How()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeLine:
    """A line that runs inside of the engine's container; nobody types it."""

    what: str
    """Who starts it, or what it is the same as."""
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would happen, in order."""

    stack: str
    steps: tuple[Step, ...]
    match: Match | None = None
    """How the model was found; None where a lock names it, and where nothing is brought up."""
    fitness: tuple[Finding, ...] = ()
    """What the model needs, held against this machine."""
    override: Override | None = None
    """What the user laid over the compose file; None where nothing is."""
    pull_bytes: int | None = 0
    """Room that images take which are pulled for a card; None where no registry told."""
    commands: tuple[tuple[str, ...], ...] = ()
    """The commands that `up` stands for, each as its words; empty unless they were asked for."""
    serve: tuple[ServeLine, ...] = ()
    """How an engine on a card serves inside of its container, where commands were asked for."""
    unresolved: tuple[str, ...] = ()
    """What of the commands nobody could be asked for, and what stands in its place."""

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do something; waiting and skipping change nothing."""
        return tuple(step for step in self.steps if step.verb not in {"skip", "wait"})

    def wants_any(self, verbs: Collection[Verb]) -> bool:
        """Return whether a step of one of these kinds is part of the plan."""
        return any(step.verb in verbs for step in self.steps)

    def wants(self, verb: Verb, subject: str) -> bool:
        """Return whether this step is part of the plan."""
        return any(step.verb == verb and step.subject == subject for step in self.steps)
