# SPDX-License-Identifier: Apache-2.0
"""Look at stacks, and take them down."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, EngineError, UsageError
from ttctl.model.lease import RELEASED
from ttctl.model.tls import At
from ttctl.operations.diagnose import causes
from ttctl.operations.foreign import own_containers, refuse_others
from ttctl.operations.lease import stop_first
from ttctl.operations.ready import wait_for
from ttctl.operations.stack_status import StackStatus
from ttctl.operations.start_watch import joined
from ttctl.operations.tls import at_of, client_file
from ttctl.operations.unanswered import unanswered
from ttctl.rules.cache_name import caches_of, mounted_by
from ttctl.rules.find import is_meant
from ttctl.rules.stack import BIND, names_of
from ttctl.rules.stack_state import state_by
from ttctl.rules.to_end import is_stopped, step_to_run, steps_to_down

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.engine_files import EngineCache
    from ttctl.model.gateway import Health
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
    from ttctl.operations.diagnose import Cause

PROCESSOR = "cpu"


def known_stacks(world: World) -> tuple[str, ...]:
    """Return every stack that has a lock or a container."""
    return _names(world, world.engine.containers(None))


def _names(world: World, seen: tuple[ContainerState, ...]) -> tuple[str, ...]:
    return tuple(sorted(_of_owner(world, seen) | set(world.store.stacks())))


def _of_owner(world: World, seen: tuple[ContainerState, ...]) -> set[str]:
    owner = world.store.owner()
    return {one.stack for one in seen if one.owner == owner}


def pick_stack(world: World, word: str | None, *, further: tuple[str, ...] = ()) -> str:
    """Return the stack that is meant, of `further` ones too; without a word, the only one.

    Raises:
        UsageError: There is none of that name, or several and no word.
    """
    return _picked(world, word, world.engine.containers(None), further)


def _picked(
    world: World,
    word: str | None,
    seen: tuple[ContainerState, ...],
    further: tuple[str, ...] = (),
) -> str:
    names = tuple(sorted({*_names(world, seen), *further}))
    if word is not None:
        return _named(world, word, names)
    # What has no container is not meant where something else has one.
    meant = tuple(sorted(_of_owner(world, seen))) or names
    if len(meant) == 1:
        return meant[0]
    raise UsageError(
        "Which stack is meant?" if names else "There is no stack yet.",
        why="Several are here." if names else "Nothing was brought up by this user.",
        evidence=f"Stacks: {', '.join(meant) or 'none'}.",
        next_step=f"ttctl status {meant[0]}" if names else "ttctl up llama",
        added=meant[0] if names else "",
    )


def _named(world: World, word: str, names: tuple[str, ...]) -> str:
    for name in names_of(word):
        if name in names:
            return name
    is_model = bool(is_meant(world.catalog.specs(), word))
    raise UsageError(
        f"There is no stack {word!r}.",
        why="No lock and no container has this name.",
        evidence=f"Stacks: {', '.join(names) or 'none'}.",
        next_step=f"ttctl up {word if is_model else 'llama'}"
        if is_model or not names
        else "ttctl ps -a",
        mistyped=word,
        meant="" if is_model else next(iter(get_close_matches(word, names, n=1)), ""),
    )


def status(world: World, word: str | None) -> StackStatus:
    """Say how a stack is; asks the engine once, and the gateway only where one runs.

    Raises:
        UsageError: There is no stack of that name, or several and no word.
    """
    seen = world.engine.containers(None)
    stack = _picked(world, word, seen)
    project = f"ttctl-{stack}-"
    named = tuple(one for one in seen if one.stack == stack and one.name.startswith(project))
    containers = tuple(one for one in named if one.owner == world.store.owner())
    reason = ""
    try:
        lock = world.store.summary(stack)
    except BadFileError as exc:
        lock, reason = None, f"{exc.message} {exc.evidence}"
    port = lock.port if lock else next((p for c in containers for _, p, _ in c.ports), 0)
    at = at_of(world, stack, lock) if lock else At(port=port)
    unstarted = lock is not None and is_unstarted(world, stack, containers)
    live = [one for one in containers if one.state not in RELEASED]
    own, others = _caches(world, stack, lock)
    stopped = is_stopped(containers)
    health = world.gateway.health(at) if lock and not state_by(containers) else None
    return StackStatus(
        stack=stack,
        state="unstarted" if unstarted else _state(containers, health),
        model=lock.model if lock else "",
        device=lock.device if lock else "",
        url=at.url if port and not unstarted else "",
        key_file=world.keys.key_file(stack),
        containers=containers,
        others=tuple(one for one in named if one not in containers),
        bind=next((a for c in containers for a, p, _ in c.ports if p == port), BIND),
        tls=lock.tls if lock else "",
        certificate=client_file(world, stack, lock) if lock else "",
        reason=reason or (lock.reason if lock else ""),
        experimental=lock.experimental if lock else "",
        boards=tuple(sorted({board for one in live for board in one.boards})),
        caches=own,
        other_caches=others,
        causes=() if stopped else _causes(world, stack, containers, at, health),
        next_step=f"ttctl start {stack}" if stopped else "",
        wanted=world.wanted.is_wanted(stack),
    )


def _caches(
    world: World, stack: str, lock: LockSummary | None
) -> tuple[tuple[EngineCache, ...], tuple[EngineCache, ...]]:
    """Return the caches of a stack's model: those that its folder mounts, and the others."""
    if lock is None or lock.device == PROCESSOR:
        return (), ()
    dotenv = world.folders.read_folder(world.store.folder(stack)).get(".env", "")
    found = caches_of(world.engine_files.caches(), lock.model)
    own = mounted_by(found, dotenv)
    return own, tuple(one for one in found if one not in own)


def _state(containers: tuple[ContainerState, ...], health: Health | None) -> str:
    if state := state_by(containers):
        return state
    if health is None:
        return "unknown"
    return "ready" if health.ok else "degraded"


def _causes(
    world: World,
    stack: str,
    containers: tuple[ContainerState, ...],
    at: At,
    health: Health | None,
) -> tuple[Cause, ...]:
    found = causes(world, stack, containers)
    if found or health is None:
        return found
    return unanswered(world, containers, at, health)


def wait(world: World, stack: str, *, timeout_s: int) -> StackStatus:
    """Wait until a stack has answered, and say how it is then.

    Raises:
        EngineError: It does not run, or a container of it has ended.
        UsageError: What runs under its name belongs to somebody else.
        WaitError: It did not answer within `timeout_s` seconds.
    """
    lock, seen = world.store.lock(stack), world.engine.containers(stack)
    refuse_others(world, stack, seen)
    if lock is None or not seen or is_stopped(seen):
        raise EngineError(
            f"The stack {stack!r} does not run: there is nothing to wait for.",
            why="It was stopped." if seen and lock else "No container of it is here.",
            next_step=step_to_run(stack, lock.requested if lock else "", seen),
        )
    with (
        world.reporter.step(f"Wait for {stack}"),
        joined(world, lock, limit_s=timeout_s) as watch,
    ):
        wait_for(world, lock, limit_s=timeout_s, hear=watch.hear)
    return status(world, stack)


def down(
    world: World,
    stack: str,
    *,
    volumes: bool,
    dry_run: bool,
    timeout_s: int | None = None,
    lock_timeout_s: float = 10,
    ends: bool = True,
) -> Plan:
    """Stop and remove a stack's containers and networks; its lock and key stay.

    With `volumes`, a stack that was locked and never started is forgotten; without `ends` it stays
    wanted. Raises LockedError where another command changes the stack.
    """
    containers = own_containers(world, stack)
    known = stack in world.store.stacks()
    unstarted = known and is_unstarted(world, stack, containers)
    if dry_run or not (containers or known or world.wanted.is_wanted(stack)):
        return steps_to_down(stack, containers, unstarted=unstarted, volumes=volumes)
    with world.store.exclusive(stack, timeout_s=lock_timeout_s, reporter=world.reporter):
        if ends:
            world.wanted.end(stack)
        containers = world.engine.containers(stack)
        unstarted = is_unstarted(world, stack, containers)
        plan = steps_to_down(stack, containers, unstarted=unstarted, volumes=volumes)
        if unstarted and volumes:
            world.folders.forget(stack)
        elif plan.changes:
            grace = 120 if timeout_s is None else timeout_s
            with world.reporter.step(f"Stop {stack} (each service has up to {grace} s)"):
                if any(one.boards for one in containers):
                    stop_first(world, stack, timeout_s=timeout_s)
                _end(world, stack, volumes=volumes, timeout_s=timeout_s)
        else:
            # A command that was killed may have left the networks.
            _end(world, stack, volumes=volumes, timeout_s=timeout_s)
    return plan


def is_unstarted(world: World, stack: str, containers: tuple[ContainerState, ...]) -> bool:
    """Return whether a stack was locked and nothing more: no container, and no key was made."""
    key = world.keys.key_file(stack)
    return not containers and not world.keys.has_key(stack) and not key.exists()


def _end(world: World, stack: str, *, volumes: bool, timeout_s: int | None) -> None:
    folder = world.store.folder(stack) if volumes else None
    world.launcher.down(stack, volumes=folder, timeout_s=timeout_s, reporter=world.reporter)
