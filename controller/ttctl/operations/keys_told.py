# SPDX-License-Identifier: Apache-2.0
"""Keep the keys of a stack's map and of its running gateway the same."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from ttctl.errors import EngineError, TtctlError
from ttctl.operations.foreign import own_containers
from ttctl.operations.undo import undoing
from ttctl.rules import keys as rules
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.container import ContainerState
    from ttctl.model.keys import KeyRow
    from ttctl.model.protocols import World

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""Exit codes for a program that the container does not have."""

Told = Literal["told", "not running"]


@contextmanager
def held(world: World, stack: str, *, timeout_s: float) -> Iterator[None]:
    """Hold the stack, after a look at where its keys lie: nothing is written where others read.

    Raises:
        PrivilegeError: Others of this host can get at the keys.
        LockedError: Another command changes the stack.
    """
    world.key_ring.read(stack)
    own_containers(world, stack)
    with world.store.exclusive(stack, timeout_s=timeout_s, reporter=world.reporter):
        yield


def in_order(world: World, stack: str) -> tuple[KeyRow, ...]:
    """Put right what a killed command left, and return the keys; call it while the stack is held.

    Raises:
        EngineError: The running gateway could not be told.
    """
    ring = world.key_ring.read(stack)
    if not ring.own_sha256:
        world.keys.ensure_key(stack)
        ring = world.key_ring.read(stack)
    rows = rules.mended(ring.rows, ring.own_sha256)
    if rows != ring.rows:
        world.key_ring.write(stack, rows)
    tell(world, stack)
    return rows


def before(world: World, stack: str, now: int, *, dry_run: bool) -> tuple[KeyRow, ...]:
    """Return the keys that the gateway accepts, and surely knows."""
    rows = world.key_ring.read(stack).rows if dry_run else in_order(world, stack)
    return rules.living(rows, now)


def written(
    world: World,
    stack: str,
    earlier: tuple[KeyRow, ...],
    after: tuple[KeyRow, ...],
    *,
    dry_run: bool,
) -> Told | None:
    """Keep other keys and tell the gateway; where it cannot be told, nothing is changed."""
    if dry_run:
        return None
    world.key_ring.write(stack, after)
    try:
        return tell(world, stack)
    except BaseException:
        with undoing(world, f"the keys of {stack} are the new ones, which no gateway was told"):
            world.key_ring.write(stack, earlier)
        raise


@contextmanager
def put_back(
    world: World, stack: str, earlier: tuple[KeyRow, ...], *, unless: str
) -> Iterator[None]:
    """Keep the earlier keys again and tell the gateway, where the block does not get to its end.

    Args:
        world: Everything outside.
        stack: Which is held.
        earlier: Its keys before those that it has now.
        unless: The own key's hash with which the keys of now are right: its file may have been
            exchanged already when the block was ended.
    """
    try:
        yield
    except BaseException as failure:
        try:
            if world.key_ring.read(stack).own_sha256 != unless:
                world.key_ring.write(stack, earlier)
                tell(world, stack)
        except TtctlError as second:
            if isinstance(failure, TtctlError):
                failure.evidence = "\n".join(
                    (failure.evidence, f"The gateway does not have its keys back: {second.message}")
                )
                failure.why = " ".join(filter(None, (failure.why, "The own key ends soon.")))
                failure.next_step = f"ttctl config key ls {stack}   # puts the keys right"
        raise


def tell(world: World, stack: str) -> Told:
    """Let the gateway that runs know what the map has.

    Raises:
        EngineError: It could not be told.
    """
    door = _door(world, stack)
    if door is None:
        return "not running"
    code, said = world.key_ring.tell(door.name)
    if code == 0:
        return "told"
    if code in {NOT_EXECUTABLE, NOT_FOUND}:
        raise EngineError(
            f"The gateway of {stack!r} cannot exchange keys while it runs.",
            why="Its container was made by an older ttctl, or from an image of your own.",
            evidence=said or f"{door.name} ended with {code}.",
            next_step=f"ttctl up {stack}",
        )
    if _door(world, stack) is None:
        return "not running"
    raise EngineError(
        f"The gateway of {stack!r} did not take its keys.",
        why=said or f"What exchanges them ended with {code}.",
        evidence=f"Container: {door.name}.",
        next_step=f"ttctl logs {stack} --tail 20",
    )


def _door(world: World, stack: str) -> ContainerState | None:
    seen = world.engine.containers(stack)
    doors = (one for one in seen if one.service == GATEWAY_SERVICE and one.state == "running")
    return next(doors, None)
