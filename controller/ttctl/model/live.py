# SPDX-License-Identifier: Apache-2.0
"""What one look at everything that runs shows, and what is asked of whoever looks. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.tls import At


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """How much memory a container has, as its engine counts it."""

    container_id: str
    used_bytes: int
    """Without what the kernel would give back at once: cached files that nobody uses."""
    limit_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """Something that happened to a stack."""

    at: float
    """Unix time in seconds."""
    stack: str
    service: str
    """Empty for what is the whole stack's."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSeen:
    """What the container engine showed at one moment."""

    containers: tuple[ContainerState, ...]
    memory: tuple[MemoryUse, ...]
    events: tuple[LiveEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What a command that holds a stack, or fetches for none, does right now."""

    stack: str
    """The stack's name, or for weights of none the command's, `models pull`."""
    pid: int
    title: str
    """The step's."""
    began: float
    """When the step began, Unix time in seconds."""
    done: float = 0
    total: float = 0
    """0 where nothing can be counted."""
    unit: str = ""
    """`steps` or `bytes`."""
    text: str = ""
    """What goes on within the step, where that is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBoard:
    """A board; None for what it does not say."""

    id: str
    name: str
    """As it is shown: the number by which commands take it."""
    family: str
    health: str
    temperature_c: float | None = None
    """Of its hottest chip."""
    power_w: float | None = None
    """Of all its chips that say it."""
    clock_mhz: float | None = None
    """Of its fastest chip."""
    free: str = "unknown"
    holders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveService:
    """A container of a stack; None for what it does not count, or what is not known."""

    service: str
    state: str
    """`unknown` where the container engine does not answer any more."""
    health: str
    """`starting`, `healthy`, `unhealthy`, or empty."""
    exit_code: int = 0
    uptime_s: float | None = None
    requests: float | None = None
    """Answered since it was started; of the gateway, passed on."""
    requests_per_s: float | None = None
    tokens: float | None = None
    """Written since it was started."""
    tokens_per_s: float | None = None
    running: float | None = None
    """Requests that are computed."""
    waiting: float | None = None
    """Requests that wait for their turn."""
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStack:
    """A stack with its services."""

    stack: str
    state: str
    """`ready`, `starting`, `degraded`, `stopped`, or `unknown`."""
    model: str
    device: str
    url: str
    """Empty where nothing of it runs."""
    services: tuple[LiveService, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSource:
    """How well a source of these values answers."""

    name: str
    """`engine`, `boards` (who has them), `chips`, `files`, or `gateway NAME`."""
    state: Literal["ok", "old", "unknown"]
    age_s: float | None
    """Of its values; None where there are none."""
    note: str = ""
    """Why they are not new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFrame:
    """All of it at one moment."""

    time: str
    """In UTC, `2026-01-31T10:00:00Z`."""
    at: float
    """The same as Unix time in seconds."""
    boards: tuple[LiveBoard, ...]
    stacks: tuple[LiveStack, ...]
    doing: tuple[Doing, ...]
    events: tuple[LiveEvent, ...]
    """The last ones, the newest last."""
    sources: tuple[LiveSource, ...]


class Live(Protocol):
    """Looks at what runs; each question has a limit of its own."""

    def now(self) -> float:
        """Return the Unix time in seconds."""

    def engine(self, *, since: float) -> EngineSeen:
        """Return containers, their memory, and what happened to them from `since` on.

        Raises:
            TtctlError: The container engine does not answer.
        """

    def metrics(self, at: At, key: str, path: str) -> str:
        """Return what a gateway on loopback answers at `path`, up to a limit.

        Raises:
            EngineError: It does not answer 200, not in time, or with more than that.
        """

    def doing(self, stacks: Sequence[str]) -> tuple[Doing, ...]:
        """Return what commands do that hold one of `stacks`, or fetch for none, at this moment."""

    def noted(self, stacks: Sequence[str]) -> tuple[LiveEvent, ...]:
        """Return when locks were written last, and the last start whose length was kept."""
