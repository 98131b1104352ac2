# SPDX-License-Identifier: Apache-2.0
"""Wait until a stack truly answers: a model of text by a completion, others by their health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError, TooLongError, WaitError
from ttctl.operations.fatal_watch import FatalWatch
from ttctl.operations.tls import at_of
from ttctl.rules.fatal import limit_text
from ttctl.rules.warm_up import long_prompt

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World

READY_S = 60
"""Limit for a stack whose containers are healthy; the gateway looks at its engine every second."""
POLL_S = 0.2
HELLO = "Hello"
WAITS = {"vllm": "Wait for a real completion"}
"""By engine; the others are ready when their health says so."""


def await_ready(world: World, lock: Lock, *, quick: bool, wait_s: int, warm_tokens: int) -> None:
    """Return when our gateway's own port has given a real completion.

    Args:
        world: Everything outside.
        lock: Of the stack.
        quick: Whether nothing was started: then no step is announced.
        wait_s: Limit where an engine that was started before still loads, or captures traces.
        warm_tokens: Length of the prompt that makes a started engine capture its traces; 0 for
            none.

    Raises:
        EngineError: A container is gone, or the port is not this stack's.
        WaitError: It did not answer within a minute, or `wait_s`.
    """
    containers = world.engine.containers(lock.stack)
    loads = any(container.health == "starting" for container in containers)
    slow = loads or (warm_tokens and not quick)
    limit_s = max(READY_S, wait_s) if slow else READY_S
    if quick and not loads:
        wait_for(world, lock, limit_s=limit_s)
        return
    with world.reporter.step(WAITS.get(lock.engine, "Wait for the engine's health")):
        wait_for(world, lock, limit_s=limit_s)
    if warm_tokens and not quick:
        _warm_up(world, lock, tokens=warm_tokens, limit_s=limit_s)


def _warm_up(world: World, lock: Lock, *, tokens: int, limit_s: int) -> None:
    """Send a long prompt: who asks next does not wait for its traces."""
    with world.reporter.step(f"Warm up with about {tokens} tokens: the engine captures traces"):
        try:
            wait_for(world, lock, limit_s=limit_s, prompt=long_prompt(tokens))
        except TooLongError as exc:
            world.reporter.note(f"not warmed up for long prompts: {exc.why}")


def wait_for(world: World, lock: Lock, *, limit_s: int, prompt: str = HELLO) -> None:
    """Return when the stack has given a real completion, or an engine without text is healthy.

    Raises:
        TooLongError: `prompt` does not fit.
        EngineError: A container of it is not there, has ended, or printed a line that means that it
            will not come up.
        WaitError: It did not answer within `limit_s` seconds.
    """
    deadline = world.clock.now() + limit_s
    watch = FatalWatch(world, lock)
    while True:
        try:
            _prove(world, lock, prompt)
        except TooLongError:
            raise
        except EngineError as exc:
            _check_running(world, lock)
            watch.look()
            if world.clock.now() >= deadline:
                raise WaitError(
                    f"The stack {lock.stack!r} did not answer within {limit_s} s.",
                    why=f"{exc.message} {exc.why}".strip(),
                    evidence=exc.evidence,
                    next_step=f"ttctl logs {lock.stack} --tail 100",
                ) from exc
        else:
            return
        world.clock.sleep(POLL_S)


def _prove(world: World, lock: Lock, prompt: str) -> None:
    _check_port(world, lock)
    at = at_of(world, lock.stack, lock)
    if not world.gateway.healthy(at):
        raise EngineError("The engine is not ready yet.", why="/health does not answer 200.")
    if lock.engine not in WAITS:
        # The gateway lets /health through when the engine has said that its model is there.
        return
    key = world.keys.key(lock.stack)
    models = world.gateway.models(at, key)
    # The media server knows its model by the last part of the name.
    if not {lock.model, lock.model.rpartition("/")[2]}.intersection(models):
        raise EngineError(
            f"The engine does not serve {lock.model!r}.", evidence=f"It lists: {', '.join(models)}"
        )
    # It says that it is ready before the first prompt has been computed: that captures traces.
    world.gateway.complete(at, key, model=lock.model, prompt=prompt)


def _check_port(world: World, lock: Lock) -> None:
    for container in world.engine.containers(lock.stack):
        if any(port == lock.port for _, port, _ in container.ports):
            return
    raise EngineError(
        f"Port {lock.port} is not published by this stack.",
        why="Whatever answers there is not ours.",
        next_step=f"ttctl up {lock.requested}",
    )


def _check_running(world: World, lock: Lock) -> None:
    for container in world.engine.containers(lock.stack):
        if container.state != "running":
            lines = world.engine.log_lines(container.container_id, tail=12)
            raise _ended(container, lines, requested=lock.requested)


def _ended(container: ContainerState, lines: tuple[str, ...], *, requested: str) -> EngineError:
    limit = limit_text(container)
    memory = f" It used more memory than its limit{limit}." if container.oom_killed else ""
    return EngineError(
        f"The service {container.service!r} ended while ttctl waited for it.",
        why=f"Exit code {container.exit_code}.{memory}",
        evidence="\n".join(lines),
        next_step=f"ttctl up {requested} --name {container.stack}   # starts it anew",
    )
