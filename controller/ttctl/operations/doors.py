# SPDX-License-Identifier: Apache-2.0
"""Where is a running stack talked to, and by which of its engines?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, EngineError, UsageError
from ttctl.model.talk import Door
from ttctl.operations.foreign import refuse_others
from ttctl.operations.stacks import known_stacks, pick_stack
from ttctl.operations.tls import at_of
from ttctl.rules.locked_entry import locked_entry
from ttctl.rules.parts import part_named, parts_of
from ttctl.rules.talk import speaks
from ttctl.rules.to_end import step_to_run

if TYPE_CHECKING:
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.rules.parts import Part


def find_door(world: World, stack: str | None, *, service: str | None = None) -> Door:
    """Return the door of the stack that is meant; without a word, of the only one that runs."""
    return door_of(world, pick_stack(world, stack), service=service)


def door_of(world: World, stack: str, *, service: str | None = None) -> Door:
    """Return where a running stack is talked to.

    Args:
        world: The outside.
        stack: Its name.
        service: Which of its engines shall answer; None for the one that its gateway takes.

    Raises:
        EngineError: The stack does not run.
        UsageError: It has no such engine that talks.
    """
    lock = running_lock(world, stack)
    if service is None:
        return _own(world, lock)
    part = part_named(_talking(lock), service, stack=stack, asks="ttctl chat", does="talks")
    return _door(world, lock, part)


def running_lock(world: World, stack: str) -> Lock:
    """Return what a running stack was resolved to; to another user's no key is sent.

    Raises:
        EngineError: The stack does not run.
        UsageError: What runs under its name belongs to somebody else.
    """
    lock = world.store.lock(stack)
    seen = world.engine.containers(stack)
    refuse_others(world, stack, seen)
    if lock is None or not any(one.state == "running" for one in seen):
        raise EngineError(
            f"The stack {stack!r} does not run.",
            why="No container of it runs here.",
            next_step=step_to_run(stack, lock.requested if lock else "", seen),
        )
    return lock


def doors(world: World) -> tuple[Door, ...]:
    """Return where each stack that runs and holds conversations is talked to."""
    found = []
    for stack in known_stacks(world):
        try:
            found.append(door_of(world, stack))
        except (EngineError, BadFileError, UsageError):
            # It does not run, or is another's, or nobody can say: `ttctl status` says which.
            continue
    return tuple(one for one in found if one.speaks)


def talking_doors(world: World, stack: str) -> tuple[Door, ...]:
    """Return a door for each engine of a running stack that holds conversations, its own first.

    Raises:
        EngineError: The stack does not run.
    """
    lock = running_lock(world, stack)
    return tuple(_door(world, lock, part) for part in _talking(lock))


def check_talks(world: World, door: Door) -> None:
    """Refuse a stack whose engine answers no questions.

    Raises:
        UsageError: It does not.
    """
    if door.speaks:
        return
    other = next(iter(talking_doors(world, door.stack)), None)
    raise UsageError(
        f"The stack {door.stack!r} holds no conversation.",
        why=f"{door.model} answers requests of another kind.",
        evidence=f"Its service {other.service} does, with {other.model}." if other else "",
        next_step=f"ttctl chat --stack {door.stack} --service {other.service}"
        if other
        else f"ttctl status {door.stack}",
    )


def _talking(lock: Lock) -> tuple[Part, ...]:
    return tuple(part for part in parts_of(lock) if speaks(part.engine))


def _own(world: World, lock: Lock) -> Door:
    return Door(
        stack=lock.stack,
        model=lock.model,
        device=lock.device,
        at=at_of(world, lock.stack, lock),
        max_model_len=lock.max_model_len,
        speaks=speaks(lock.engine),
    )


def _door(world: World, lock: Lock, part: Part) -> Door:
    return Door(
        stack=lock.stack,
        service=part.service,
        model=part.model,
        device=part.device,
        at=at_of(world, lock.stack, lock),
        max_model_len=_length(world, lock, part),
        speaks=speaks(part.engine),
        base=part.base,
    )


def _length(world: World, lock: Lock, part: Part) -> int:
    """Return how many tokens an engine holds: beside the stack's own, what its entry says."""
    if part.service == parts_of(lock)[0].service:
        return lock.max_model_len
    locked = next(one for one in lock.beside if one.service == part.service)
    spec = locked_entry(world.catalog.specs(), locked)
    return spec.limits.max_model_len if spec else lock.max_model_len
