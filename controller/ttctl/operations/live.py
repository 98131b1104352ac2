# SPDX-License-Identifier: Apache-2.0
"""Look at boards, services, work and events at once; no source keeps the others waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.live import LiveFrame
from ttctl.operations import devices
from ttctl.operations.live_ask import Asked
from ttctl.operations.live_frame import boards_of, newest, stack_of, with_starts
from ttctl.operations.live_gateway import OWN, Counted, GatewayWatch
from ttctl.operations.stacks import pick_stack
from ttctl.operations.tls import at_of

if TYPE_CHECKING:
    from ttctl.model.live import Doing, EngineSeen, LiveBoard, LiveEvent
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.protocols import World

EVENTS_S = 900.0
"""How far back events are told."""
MOST_EVENTS = 32
OVERLAP_S = 5.0
"""How far back what is new is asked for once more: the engine's clock may be another one."""
FRESH = 2.5
"""Intervals after which a value is old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the stacks' folders say."""

    locks: tuple[tuple[str, LockSummary | None], ...]
    """Each stack with what its lock says; None where that is damaged."""
    doing: tuple[Doing, ...]
    noted: tuple[LiveEvent, ...]


def meant(world: World, word: str | None) -> str | None:
    """Return the stack that is meant, None for all of them.

    Raises:
        UsageError: There is none of that name.
    """
    if word is None or word in world.store.stacks():
        return word
    return pick_stack(world, word)


class LiveWatch:
    """Looks at one stack or at all, as often as it is asked to."""

    def __init__(self, world: World, stack: str | None, *, interval_s: float) -> None:
        """Nothing is asked yet; `interval_s` is how far the looks will be apart."""
        self._world = world
        self._stack = stack
        self._fresh_s = FRESH * interval_s
        now = world.clock.now
        # Made here: a part of the world that two threads ask for at once would be made twice.
        self._made = (world.live, world.host, world.leases, world.telemetry, world.engine)
        self._secrets = (world.keys, world.certificates)
        self._files = Asked("files", self._read, now=now)
        self._engine = Asked("engine", self._seen, now=now)
        self._boards = Asked("boards", self._looked, now=now)
        self._seen_at = 0.0
        self._happened: frozenset[LiveEvent] = frozenset()
        self._chips = Asked("chips", self._sensed, now=now)
        self._gateways: dict[str, Asked[Counted]] = {}
        self._asked_by: dict[str, LockSummary] = {}
        self._pairs: dict[str, tuple[Counted | None, Counted | None]] = {}

    def look(self, *, patience_s: float) -> LiveFrame:
        """Return what is known at this moment; new answers are waited for within a limit."""
        deadline = time.monotonic() + patience_s
        for one in (self._files, self._engine, self._boards, self._chips):
            one.begin()
        half = time.monotonic() + patience_s / 2
        self._files.settle(half)
        self._engine.settle(half)
        asked = self._asked_gateways()
        for gateway in asked.values():
            gateway.begin()
        for gateway in asked.values():
            gateway.settle(deadline)
        for one in (self._engine, self._chips, self._boards):
            one.settle(deadline)
        for stack, gateway in asked.items():
            self._remember(stack, gateway.value())
        return self._frame(asked)

    def _asked_gateways(self) -> dict[str, Asked[Counted]]:
        """Return those of stacks that run; what has no gateway, or has ended, is not asked."""
        seen, files = self._engine.value(), self._files.last()
        if seen is None or files is None:
            return {}
        running = {
            one.stack for one in seen.containers if one.service == OWN and one.state == "running"
        }
        found: dict[str, Asked[Counted]] = {}
        for stack, lock in files.locks:
            if stack in running and lock is not None:
                same = self._gateways.get(stack) if self._asked_by.get(stack) == lock else None
                found[stack] = same or self._new_gateway(stack, lock)
        self._gateways = found
        return found

    def _new_gateway(self, stack: str, lock: LockSummary) -> Asked[Counted]:
        self._asked_by[stack] = lock
        watch = GatewayWatch(world=self._world, stack=stack, lock=lock)
        return Asked(f"gateway {stack}", watch.look, now=self._world.clock.now)

    def _remember(self, stack: str, counted: Counted | None) -> None:
        before, last = self._pairs.get(stack, (None, None))
        if counted is None:
            self._pairs[stack] = (None, None)
        elif last is None or counted.at != last.at:
            self._pairs[stack] = (last, counted)
        else:
            self._pairs[stack] = (before, last)

    def _frame(self, asked: dict[str, Asked[Counted]]) -> LiveFrame:
        now = self._world.live.now()
        files, seen = self._files.last(), self._engine.last()
        known = self._engine.value() is not None
        stacks = tuple(
            stack_of(
                stack,
                lock,
                seen,
                known=known,
                counted=self._pairs.get(stack, (None, None)),
                now=now,
                url=at_of(self._world, stack, lock).url if lock is not None else "",
            )
            for stack, lock in self._locks(files)
        )
        fresh = self._fresh_s
        own = (self._files, self._engine, self._boards, self._chips)
        sources = [one.told(fresh_s=fresh) for one in own]
        sources += [one.told(fresh_s=fresh) for one in asked.values()]
        return LiveFrame(
            time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            at=now,
            boards=newest(self._boards.value(), self._chips.value()),
            stacks=stacks,
            doing=files.doing if files is not None and self._files.value() else (),
            events=self._events(now),
            sources=tuple(sources),
        )

    def _locks(self, files: Files | None) -> tuple[tuple[str, LockSummary | None], ...]:
        """Return every stack: those with a lock, and those that have containers only."""
        locks = dict(files.locks) if files is not None else {}
        seen = self._engine.last()
        for one in seen.containers if seen else ():
            if self._stack in {None, one.stack}:
                locks.setdefault(one.stack, None)
        return tuple(sorted(locks.items()))

    def _events(self, now: float) -> tuple[LiveEvent, ...]:
        """Return what happened of late.

        The engine forgets soon, as each health check is an event of its own: it is asked for what
        is new, and the rest is kept here.
        """
        files, seen = self._files.last(), self._engine.last()
        if seen is not None:
            found = with_starts({*self._happened, *seen.events}, seen.containers)
            self._happened = frozenset(one for one in found if now - one.at <= EVENTS_S)
        noted = files.noted if files is not None else ()
        kept = (
            one
            for one in (*self._happened, *noted)
            if now - one.at <= EVENTS_S and (self._stack is None or one.stack in {"", self._stack})
        )
        in_order = sorted(kept, key=lambda one: (one.at, one.stack, one.service, one.text))
        return tuple(in_order)[-MOST_EVENTS:]

    def _read(self) -> Files:
        stacks = (self._stack,) if self._stack is not None else self._world.store.stacks()
        live = self._world.live
        return Files(
            locks=tuple((stack, self._summary(stack)) for stack in stacks),
            doing=live.doing(stacks),
            noted=live.noted(stacks),
        )

    def _summary(self, stack: str) -> LockSummary | None:
        try:
            return self._world.store.summary(stack)
        except TtctlError:
            # What is wrong with it is told by `status`.
            return None

    def _seen(self) -> EngineSeen:
        now = self._world.live.now()
        seen = self._world.live.engine(since=max(now - EVENTS_S, self._seen_at - OVERLAP_S))
        self._seen_at = now
        return seen

    def _looked(self) -> tuple[LiveBoard, ...]:
        # Never with `ask`: tt-smi opens nodes that a job may have, and the driver's files say it.
        looked = devices.look(self._world, devices.Wish(ask=False))
        return boards_of(devices.info(looked, None))

    def _sensed(self) -> tuple[LiveBoard, ...]:
        """Return what the driver's files alone say: they answer where no engine does."""
        system = self._world.host.system()
        readings = self._world.telemetry.sensors(watch=False) if system.boards else ()
        looked = devices.Looked(system=system, readings=readings, telemetry=None, notes=())
        return boards_of(devices.info(looked, None))
