# SPDX-License-Identifier: Apache-2.0
"""Does a service that is waited for say that it will not come up? Then nobody waits for it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from ttctl.errors import EngineError, TtctlError
from ttctl.operations.diagnose import READ, cause_of
from ttctl.operations.unanswered import cut_off
from ttctl.rules.fatal import said_since, told, works
from ttctl.rules.stack import GATEWAY_SERVICE, service_name

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.operations.diagnose import Cause


class Hear(Protocol):
    """Is told what the engine has printed since its start."""

    def __call__(self, lines: Sequence[str], *, is_up: bool) -> None:
        """Learn from it; the lines of one that is up begin with their times."""


EVERY_S = 0.8
"""Twice of it, for a line whose better one comes a moment later, is less than 2 s."""


class FatalWatch:
    """Reads the logs of services that are waited for, not more often than is needed."""

    def __init__(self, world: World, lock: Lock, hear: Hear | None = None) -> None:
        """Nothing is read yet; `hear` is told the whole log of the stack's own engine."""
        self._world, self._lock, self._hear = world, lock, hear
        self._next = world.clock.now()
        self._vague: set[str] = set()
        self._before: dict[str, frozenset[str]] = {}
        """Lines of each service that works, with their times, as the first look found them."""

    def look(self, own: Collection[str] = ()) -> None:
        """Look again, where the last look is long enough ago; only at the services `own`, if any.

        Of a service that works, only what it says from the first look on means anything.

        Raises:
            EngineError: A line means that a service will not come up, or the gateway does not reach
                one that works.
        """
        if self._world.clock.now() < self._next:
            return
        self._next = self._world.clock.now() + EVERY_S
        containers = self._world.engine.containers(self._lock.stack)
        for one in containers:
            if own and one.service not in own:
                continue
            found = told(self._lines(one), self._world.failures)
            if found is None:
                continue
            if found.failure.vague and one.container_id not in self._vague:
                # The C++ libraries say where they gave up first, and why a moment later.
                self._vague.add(one.container_id)
                continue
            raise self._refusal(cause_of(self._world, self._lock.stack, one, found))
        for cause in () if own else cut_off(self._world, containers):
            raise self._refusal(cause)

    def _lines(self, one: ContainerState) -> list[str]:
        if not works(one):
            return self._told(one, self._read(one, timestamps=False))
        if one.service == GATEWAY_SERVICE:
            # It logs what others ask.
            return []
        lines = self._told(one, self._read(one, timestamps=True))
        before = self._before.setdefault(one.container_id, frozenset(lines))
        return [line.partition(" ")[2] for line in lines if line not in before]

    def _told(self, one: ContainerState, lines: list[str]) -> list[str]:
        if self._hear is not None and one.service == service_name(self._lock.engine):
            self._hear(lines, is_up=works(one))
        return lines

    def _read(self, one: ContainerState, *, timestamps: bool) -> list[str]:
        with suppress(TtctlError):
            lines = self._world.engine.stream(
                {one.container_id: one.service},
                tail=READ,
                since=said_since(one),
                timestamps=timestamps,
                follow=False,
            )
            return [line for _, line in lines]
        return []

    def _refusal(self, cause: Cause) -> EngineError:
        error = EngineError(
            f"The service {cause.service!r} will not come up.",
            why=f"{cause.cause}.",
            evidence=cause.evidence,
            next_step=cause.next_step,
        )
        error.exit_code = cause.exit_code
        return error
