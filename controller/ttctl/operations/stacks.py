# SPDX-License-Identifier: Apache-2.0
"""Look at stacks, and take them down."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, EngineError, UsageError
from ttctl.model.spec import Request
from ttctl.operations.foreign import refuse_foreign
from ttctl.operations.ready import wait_for
from ttctl.rules.order import steps_to_down
from ttctl.rules.stack import checked_name, stack_name

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.container import ContainerState
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class StackStatus:
    """What is known of one stack."""

    stack: str
    state: str
    """`ready`, `starting`, `degraded`, `stopped`, or `unknown` where its lock is damaged."""
    model: str
    device: str
    url: str
    key_file: Path
    containers: tuple[ContainerState, ...]
    reason: str = ""
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty where it was validated."""


def known_stacks(world: World) -> tuple[str, ...]:
    """Return every stack that has a lock or a container."""
    return _names(world, world.engine.containers(None))


def _names(world: World, seen: tuple[ContainerState, ...]) -> tuple[str, ...]:
    owner = world.store.owner()
    running = {one.stack for one in seen if one.owner == owner}
    return tuple(sorted(running | set(world.store.stacks())))


def pick_stack(world: World, word: str | None) -> str:
    """Return the stack that is meant; without a word, the only one there is.

    Raises:
        UsageError: There is none of that name, or several and no word.
    """
    return _picked(world, word, world.engine.containers(None))


def _picked(world: World, word: str | None, seen: tuple[ContainerState, ...]) -> str:
    names = _names(world, seen)
    if word is not None:
        for name in (word, stack_name(Request(model=word))):
            if name in names:
                return name
        raise UsageError(
            f"There is no stack {word!r}.",
            why="No lock and no container has this name.",
            evidence=f"Stacks: {', '.join(names) or 'none'}.",
            next_step=f"ttctl up {word}",
            mistyped=word,
            meant=next(iter(get_close_matches(word, names, n=1)), ""),
        )
    if len(names) == 1:
        return names[0]
    running = tuple(sorted({one.stack for one in seen if one.stack in names}))
    if len(running) == 1:
        return running[0]
    raise UsageError(
        "Which stack is meant?" if names else "There is no stack yet.",
        why="Several are here." if names else "Nothing was brought up by this user.",
        evidence=f"Stacks: {', '.join(names) or 'none'}.",
        next_step=f"ttctl status {names[0]}" if names else "ttctl up llama",
    )


def stack_to_end(world: World, word: str | None) -> str:
    """Return the stack that `down` means: one that is here, or a name for which nothing is.

    Raises:
        UsageError: The word can name no stack, or several are here and there is no word.
    """
    if word is not None and not {word, stack_name(Request(model=word))} & set(known_stacks(world)):
        return checked_name(word)
    return pick_stack(world, word)


def status(world: World, word: str | None) -> StackStatus:
    """Say how a stack is; asks the engine once, and the gateway only where one runs.

    Raises:
        UsageError: There is no stack of that name, or several and no word.
    """
    seen = world.engine.containers(None)
    stack = _picked(world, word, seen)
    project = f"ttctl-{stack}-"
    containers = tuple(one for one in seen if one.stack == stack and one.name.startswith(project))
    reason = ""
    try:
        lock = world.store.summary(stack)
    except BadFileError as exc:
        lock, reason = None, f"{exc.message} {exc.evidence}"
    port = lock.port if lock else next((p for c in containers for _, p, _ in c.ports), 0)
    return StackStatus(
        stack=stack,
        state=_state(world, lock, containers, port=port),
        model=lock.model if lock else "",
        device=lock.device if lock else "",
        url=f"http://127.0.0.1:{port}" if port else "",
        key_file=world.keys.key_file(stack),
        containers=containers,
        reason=reason or (lock.reason if lock else ""),
        experimental=lock.experimental if lock else "",
    )


def _state(
    world: World, lock: LockSummary | None, containers: tuple[ContainerState, ...], *, port: int
) -> str:
    if not containers:
        return "stopped"
    if any(one.state != "running" or one.health == "unhealthy" for one in containers):
        return "degraded"
    if any(container.health == "starting" for container in containers):
        return "starting"
    if lock is None:
        return "unknown"
    return "ready" if world.gateway.healthy(port) else "degraded"


def wait(world: World, stack: str, *, timeout_s: int) -> StackStatus:
    """Wait until a stack has answered, and say how it is then.

    Raises:
        EngineError: It does not run, or a container of it has ended.
        WaitError: It did not answer within `timeout_s` seconds.
    """
    lock = world.store.lock(stack)
    if lock is None or not world.engine.containers(stack):
        raise EngineError(
            f"The stack {stack!r} does not run: there is nothing to wait for.",
            why="No container of it is here.",
            next_step=f"ttctl up {lock.requested} --name {stack}" if lock else "ttctl models ls",
        )
    with world.reporter.step(f"Wait for {stack}"):
        wait_for(world, lock, limit_s=timeout_s)
    return status(world, stack)


def down(
    world: World,
    stack: str,
    *,
    volumes: bool,
    dry_run: bool,
    timeout_s: int | None = None,
    lock_timeout_s: float = 10,
) -> Plan:
    """Stop and remove a stack's containers and networks; its lock and key stay.

    Raises:
        LockedError: Another command changes the stack.
    """
    containers = world.engine.containers(stack)
    refuse_foreign(world, stack, containers)
    if dry_run or (not containers and stack not in world.store.stacks()):
        return steps_to_down(stack, containers)
    with world.store.exclusive(stack, timeout_s=lock_timeout_s, reporter=world.reporter):
        plan = steps_to_down(stack, world.engine.containers(stack))
        if plan.changes:
            grace = 120 if timeout_s is None else timeout_s
            with world.reporter.step(f"Stop {stack} (each service has up to {grace} s)"):
                _end(world, stack, volumes=volumes, timeout_s=timeout_s)
        else:
            # A command that was killed may have left the networks.
            _end(world, stack, volumes=volumes, timeout_s=timeout_s)
    return plan


def _end(world: World, stack: str, *, volumes: bool, timeout_s: int | None) -> None:
    world.launcher.down(stack, volumes=volumes, timeout_s=timeout_s, reporter=world.reporter)
