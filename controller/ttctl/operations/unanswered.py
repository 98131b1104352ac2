# SPDX-License-Identifier: Apache-2.0
"""Say why a stack does not answer, or slowly, though all of its containers work."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, TtctlError
from ttctl.operations.diagnose import Cause
from ttctl.operations.live_gateway import GatewayWatch
from ttctl.operations.tls import at_of
from ttctl.rules.fatal import works
from ttctl.rules.live_metrics import Figures, samples
from ttctl.rules.stack import GATEWAY_SERVICE, service_name
from ttctl.rules.unanswered import (
    CUT_OFF,
    OF_CHECKS,
    SLOW_S,
    Silence,
    of_checks,
    of_figures,
    of_health,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.gateway import Health
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.protocols import World
    from ttctl.model.tls import At

PATH = "/gateway/metrics?scope=server"
WATCHED_S = 3.0
"""How far two looks at an engine's tokens are apart: `doctor` has little more time."""
ENDS_WITH = 5
"""As an engine that failed."""
SOURCE = "GET /health, the checks that the gateway makes each second, and the engine's figures"


def unanswered(
    world: World, containers: Sequence[ContainerState], at: At, health: Health
) -> tuple[Cause, ...]:
    """Return what keeps a stack from answering well, by what its gateway answers.

    Args:
        world: Everything outside.
        containers: Of the stack; they work, as far as the container engine can tell.
        at: Where its gateway is asked.
        health: What that answered.
    """
    if health.ok and health.seconds < SLOW_S:
        return ()
    stack = containers[0].stack
    found = () if health.ok or not health.taken else _checks(world, stack, at)
    if not found:
        one = of_health(health, _own(world, containers))
        found = () if one is None else (one,)
    return tuple(_cause(stack, one) for one in found)


def look(world: World, containers: Sequence[ContainerState]) -> tuple[Cause, ...]:
    """Ask the gateway of a stack whose containers work, and return what keeps it from answering.

    Where requests run, it is looked for some seconds whether they get any token.
    """
    stack = containers[0].stack
    with suppress(BadFileError):
        if lock := world.store.summary(stack):
            at = at_of(world, stack, lock)
            found = unanswered(world, containers, at, world.gateway.health(at))
            return found or tuple(_without_tokens(world, stack, lock))
    return ()


def cut_off(world: World, containers: Sequence[ContainerState]) -> tuple[Cause, ...]:
    """Return why a gateway does not reach engines whose containers work, as its own.

    Docker 20.10 that is restarted while it makes a network leaves one that carries nothing.
    Nobody is asked where any container does not work, nor where the port is not this stack's.
    """
    if not containers or not all(works(one) for one in containers):
        return ()
    stack = containers[0].stack
    with suppress(BadFileError):
        lock = world.store.summary(stack)
        bound = {port for one in containers for _, port, _ in one.ports}
        if lock and lock.port in bound:
            at = at_of(world, stack, lock)
            health = world.gateway.health(at)
            found = _checks(world, stack, at) if health.taken and not health.ok else ()
            return tuple(_cause(stack, one) for one in found if one.failure == CUT_OFF)
    return ()


def _without_tokens(world: World, stack: str, lock: LockSummary) -> Iterator[Cause]:
    watch = GatewayWatch(world=world, stack=stack, lock=lock)
    with suppress(TtctlError):
        before = watch.look()
        if not any(one.running for one in before.figures.values()):
            return
        world.clock.sleep(WATCHED_S)
        after = watch.look()
        for service, earlier in before.figures.items():
            later = after.figures.get(service, Figures())
            if one := of_figures(service, earlier, later, seconds=after.at - before.at):
                yield _cause(stack, one)


def _cause(stack: str, one: Silence) -> Cause:
    return Cause(
        service=one.service,
        failure=one.failure,
        cause=one.cause,
        evidence=one.evidence,
        next_step=one.next_step.format(stack=stack, service=one.service),
        exit_code=ENDS_WITH,
        source=SOURCE,
    )


def _checks(world: World, stack: str, at: At) -> tuple[Silence, ...]:
    with suppress(TtctlError, ValueError):
        text = world.live.metrics(at, world.keys.key(stack), PATH)
        return tuple(of_checks(samples(text, OF_CHECKS)))
    return ()


def _own(world: World, containers: Sequence[ContainerState]) -> str:
    """Return the stack's own engine; its whole lock is read only where there are several."""
    engines = [one.service for one in containers if one.service != GATEWAY_SERVICE]
    if len(engines) == 1:
        return engines[0]
    with suppress(BadFileError):
        if engines and (lock := world.store.lock(containers[0].stack)):
            return service_name(lock.engine)
    return GATEWAY_SERVICE
