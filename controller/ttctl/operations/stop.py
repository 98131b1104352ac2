# SPDX-License-Identifier: Apache-2.0
"""End a stack's containers and remove none: `start` brings them back as they are locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.operations.foreign import own_containers
from ttctl.operations.lease import GRACE_S, stop_each, stop_first
from ttctl.rules.to_end import steps_to_stop

if TYPE_CHECKING:
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World


def stop(
    world: World,
    stack: str,
    *,
    dry_run: bool = False,
    timeout_s: int | None = None,
    lock_timeout_s: float = 10,
    ends: bool = True,
) -> Plan:
    """Stop what of a stack is at work; its containers, networks, lock, key and folder stay.

    Args:
        world: Everything outside.
        stack: Its name.
        dry_run: Whether to say only what would be done.
        timeout_s: Seconds that each container has; None for its own grace time.
        lock_timeout_s: Seconds to wait for another command's lock.
        ends: Whether it is not wanted any more: not where it comes up again at once.

    Raises:
        EngineError: It could not be stopped.
        LockedError: Another command changes the stack.
        UsageError: It is another user's.
    """
    containers = own_containers(world, stack)
    if dry_run or not (containers or (ends and world.wanted.is_wanted(stack))):
        return steps_to_stop(stack, containers, timeout_s=timeout_s)
    with world.store.exclusive(stack, timeout_s=lock_timeout_s, reporter=world.reporter):
        containers = world.engine.containers(stack)
        plan = steps_to_stop(stack, containers, timeout_s=timeout_s)
        if ends:
            # First: it is not to come back at a boot, however far the stop gets.
            world.wanted.end(stack)
        if not plan.changes:
            return plan
        limit = GRACE_S if timeout_s is None else timeout_s
        # How an engine with boards ended is kept, as its boards may need a reset.
        end = stop_first if any(one.boards for one in containers) else stop_each
        with world.reporter.step(f"Stop {stack} (each service has up to {limit} s)"):
            end(world, stack, timeout_s=timeout_s)
    return plan
