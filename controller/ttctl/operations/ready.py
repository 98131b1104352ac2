# SPDX-License-Identifier: Apache-2.0
"""Wait until a stack truly answers: not a health check's word, a completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError, WaitError

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.model.service import ContainerState
    from ttctl.operations.desire import Desired

READY_S = 60
"""Limit for a stack whose containers are healthy; the gateway looks at its engine every second."""
POLL_S = 0.2


def await_ready(world: World, desired: Desired, *, quick: bool, wait_s: int) -> None:
    """Return when our gateway's own port has given a real completion.

    Args:
        quick: Whether nothing was started: then no step is announced.
        wait_s: Limit where an engine that was started before still loads.

    Raises:
        EngineError: A container is gone, or the port is not this stack's.
        WaitError: It did not answer within a minute, or `wait_s`.
    """
    containers = world.engine.containers(desired.stack.name)
    loads = any(container.health == "starting" for container in containers)
    limit_s = max(READY_S, wait_s) if loads else READY_S
    if quick and not loads:
        _wait(world, desired, limit_s=limit_s)
        return
    with world.reporter.step("Wait for a real completion"):
        _wait(world, desired, limit_s=limit_s)


def _wait(world: World, desired: Desired, *, limit_s: int) -> None:
    deadline = world.clock.now() + limit_s
    while True:
        try:
            _prove(world, desired)
        except EngineError as exc:
            _check_running(world, desired)
            if world.clock.now() >= deadline:
                raise WaitError(
                    f"The stack {desired.stack.name!r} did not answer within {limit_s} s.",
                    why=f"{exc.message} {exc.why}".strip(),
                    evidence=exc.evidence,
                    next_step=f"ttctl logs {desired.stack.name} --tail 100",
                ) from exc
        else:
            return
        world.clock.sleep(POLL_S)


def _prove(world: World, desired: Desired) -> None:
    stack = desired.stack
    _check_port(world, desired)
    if not world.gateway.healthy(stack.port):
        raise EngineError("The engine is not ready yet.", why="/health does not answer 200.")
    key = world.keys.key(stack.name)
    models = world.gateway.models(stack.port, key)
    if stack.model not in models:
        raise EngineError(
            f"The engine does not serve {stack.model!r}.", evidence=f"It lists: {', '.join(models)}"
        )
    world.gateway.complete(stack.port, key, model=stack.model, prompt="Hello")


def _check_port(world: World, desired: Desired) -> None:
    stack = desired.stack
    for container in world.engine.containers(stack.name):
        if any(port == stack.port for _, port, _ in container.ports):
            return
    raise EngineError(
        f"Port {stack.port} is not published by this stack.",
        why="Whatever answers there is not ours.",
        next_step=f"ttctl up {desired.lock.requested}",
    )


def _check_running(world: World, desired: Desired) -> None:
    for container in world.engine.containers(desired.stack.name):
        if container.state != "running":
            lines = world.engine.log_lines(container.container_id, tail=12)
            raise _ended(container, lines, requested=desired.lock.requested)


def _ended(container: ContainerState, lines: tuple[str, ...], *, requested: str) -> EngineError:
    memory = " It used more memory than its limit." if container.oom_killed else ""
    return EngineError(
        f"The service {container.service!r} ended while ttctl waited for it.",
        why=f"Exit code {container.exit_code}.{memory}",
        evidence="\n".join(lines),
        next_step=f"ttctl up {requested} --name {container.stack}   # starts it anew",
    )
