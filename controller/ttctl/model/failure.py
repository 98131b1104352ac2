# SPDX-License-Identifier: Apache-2.0
"""What is known of how engines end: the rows of catalog/failures.toml. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One way in which an engine ends, known by a line of its log."""

    name: str
    pattern: str
    """A regular expression, searched in one line."""
    cause: str
    """What the line means; `{0}`, `{1}` are the pattern's groups."""
    source: str
    next_step: str = ""
    """What to type; `{up}` brings the stack up, `{model}` is the word that was asked for,
    `{cache}` the cache's folder, `{context}` half of the context. Empty where only the log
    helps."""
    exit_code: int = 5
    of_card: bool = False
    """Whether the engine had its boards open, so that they may be in disorder."""
    vague: bool = False
    """Whether a more exact line is usually near."""
    as_warning: bool = False
    """Whether it counts though it is logged as a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadState:
    """One way in which a container does not do its work, as the container engine shows it."""

    name: str
    cause: str
    """What it means; `{service}` is the container's service, `{code}` its exit code,
    `{restarts}` how often the engine started it again by itself."""
    source: str
    next_step: str = ""
    """What to type; `{up}`, `{stack}` and `{service}` are filled in."""
    exit_code: int = 5
    state: str = ""
    """`created`, `exited`, ...; empty for any."""
    health: str = ""
    """`starting`, `unhealthy`; empty for any."""
    code: int | None = None
    """Exit code of the container; None for any."""
    oom_killed: bool | None = None
    """Whether its memory limit ended it; None for either."""
    stopped: bool | None = None
    """Whether it ended with its whole stack, as a stop ends one; None for either."""
    restarted: bool | None = None
    """Whether the engine started it again by itself more than once; None for either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """All of them, in the order in which they are looked for."""

    failures: tuple[Failure, ...] = ()
    states: tuple[BadState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A line of a log that is known."""

    failure: Failure
    groups: tuple[str, ...]
    """What the pattern's groups took of the line."""
    line: str

    @property
    def cause(self) -> str:
        """What the line means."""
        return self.failure.cause.format(*self.groups)
