# SPDX-License-Identifier: Apache-2.0
"""What the gateway of a stack, and each engine behind it, counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, TtctlError
from ttctl.operations.tls import at_of
from ttctl.rules.live_metrics import (
    OF_ENGINE,
    OF_GATEWAY,
    Backend,
    Figures,
    backends,
    figures,
    samples,
)
from ttctl.rules.live_rates import rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.protocols import World
    from ttctl.rules.live_metrics import Sample

OWN = "gateway"
"""The service that is the gateway."""
PATH = "/gateway/metrics?scope=backend&scope=server"
"""The two of its scopes that are read, so that the answer stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted at one moment."""

    at: float
    """By the world's clock."""
    figures: Mapping[str, Figures]
    """By service."""
    ready: bool
    """Whether every engine passes the gateway's checks."""


@dataclass(slots=True, kw_only=True)
class Passed:
    """How many requests an engine got from the gateway that were not our own questions."""

    seen: float = 0
    own: int = 0

    def of(self, total: float) -> float:
        """Return it for what the gateway counts; it counts anew where it was started anew."""
        if total < self.seen:
            self.own = 0
        self.seen = total
        return max(0.0, total - self.own)


@dataclass(slots=True, kw_only=True)
class GatewayWatch:
    """Asks one stack's gateway, again and again."""

    world: World
    stack: str
    lock: LockSummary
    passed: dict[str, Passed] = field(default_factory=dict)

    def look(self) -> Counted:
        """Ask the gateway, and then each engine that is up.

        Raises:
            TtctlError: The gateway does not answer, or is not understood.
        """
        key = self.world.keys.key(self.stack)
        behind = backends(self._samples(key, PATH, OF_GATEWAY))
        found: dict[str, Figures] = {}
        requests = 0.0
        for one in behind:
            passed = self.passed.setdefault(one.service, Passed())
            own = passed.of(one.requests)
            requests += own
            counted = self._counted(key, one, passed)
            if one.up and counted.requests is None:
                counted = replace(counted, requests=own)
            if one.up and counted.waiting is None:
                counted = replace(counted, waiting=one.waiting)
            found[one.service] = counted
        waiting = sum(one.waiting for one in behind)
        found[OWN] = Figures(requests=requests, waiting=waiting)
        return Counted(
            at=self.world.clock.now(),
            figures=found,
            ready=bool(behind) and all(one.up for one in behind),
        )

    def _counted(self, key: str, one: Backend, passed: Passed) -> Figures:
        """Return what an engine tells of itself: nothing where it is down, or has no metrics."""
        if not one.up:
            return Figures()
        try:
            counted = figures(self._samples(key, f"{one.base}/metrics", OF_ENGINE))
        except TtctlError:
            # What the gateway counts of it is shown all the same.
            return Figures()
        passed.own += 1
        return counted

    def _samples(self, key: str, path: str, names: frozenset[str]) -> tuple[Sample, ...]:
        at = at_of(self.world, self.stack, self.lock)
        text = self.world.live.metrics(at, key, path)
        try:
            return samples(text, names)
        except ValueError as exc:
            raise EngineError(
                f"What {path.partition('?')[0]} answers is not understood.",
                why="It has not the shape of Prometheus' text format.",
                evidence=str(exc)[:200],
                next_step=f"ttctl status {self.stack}",
            ) from exc


def speed(before: Counted | None, after: Counted | None, service: str, what: str) -> float | None:
    """Return how fast one figure of a service goes up, None where that cannot be told."""
    if before is None or after is None:
        return None
    earlier, later = (one.figures.get(service, Figures()) for one in (before, after))
    return rate(getattr(earlier, what), getattr(later, what), seconds=after.at - before.at)
