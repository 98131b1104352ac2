# SPDX-License-Identifier: Apache-2.0
"""Start what was stopped, as it is locked: nothing is resolved anew, fetched or built."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import DirtyError, EngineError, TtctlError, UsageError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.choice import locked_request
from ttctl.operations.desire import desire
from ttctl.operations.laid_over import refuse_unleased
from ttctl.operations.port import with_free_port
from ttctl.operations.preflight import check_machine
from ttctl.operations.stacks import pick_stack
from ttctl.operations.start import on_free_boards
from ttctl.operations.steps import plan_for
from ttctl.operations.swap_hold import Hold
from ttctl.operations.up import up
from ttctl.rules.typed_request import typed_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired
    from ttctl.operations.up_result import UpResult

GETS = frozenset({"pull", "bootstrap", "build", "fetch"})
"""Steps that a stopped stack had behind it when it was brought up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A start of what is stopped that nothing is in the way of, as far as looking tells."""

    request: Request
    """What brings the stack up as it is locked."""
    desired: Desired
    plan: Plan


def stack_to_start(world: World, word: str | None) -> str:
    """Return the stack that `start` means: one that has containers, and a lock that they are of.

    Raises:
        UsageError: It is not here, or nothing of it is left that could be started.
    """
    stack = pick_stack(world, word)
    lock = world.store.lock(stack)
    if not world.engine.containers(stack):
        raise UsageError(
            f"Nothing of the stack {stack!r} is here that could be started.",
            why="No container of it is here: it was taken down, or never started.",
            evidence="Its lock is kept." if lock else "",
            next_step=typed_up(lock.requested, stack) if lock else "ttctl up llama",
        )
    if lock is None:
        raise UsageError(
            f"The stack {stack!r} cannot be started as it is locked.",
            why="It has no lock.",
            evidence="Nothing was changed.",
            next_step=f"ttctl down {stack}   # then: ttctl up, with its model",
        )
    if locked_request(world, stack) is None:
        raise UsageError(
            f"The stack {stack!r} cannot be started as it is locked.",
            why="Its lock names an entry that the catalog has no more, or another base image.",
            evidence=f"Locked: {lock.model} on {lock.device}. Nothing was changed.",
            next_step=typed_up(lock.requested, stack),
        )
    return stack


def look(world: World, stack: str, *, how: How = AS_NEEDED) -> Again:
    """Say what a start would do; nothing is changed.

    Raises:
        EngineError: Something of it is not here any more.
        TtctlError: It would not start here.
    """
    request = locked_request(world, stack)
    if request is None:
        # It was there when the stack was looked for.
        raise TtctlError(
            f"The lock of {stack!r} was changed meanwhile.",
            why="Another command removed it, or changed what it is of.",
            evidence="Nothing was changed.",
            next_step=f"ttctl status {stack}",
        )
    desired = with_free_port(world, desire(world, request, how=how))
    refuse_unleased(world, desired)
    desired = on_free_boards(world, desired)
    plan = plan_for(world, desired, how)
    _refuse_getting(stack, desired, plan)
    if plan.changes:
        check_machine(world, desired, plan)
    return Again(request=request, desired=desired, plan=plan)


def start_again(
    world: World,
    stack: str,
    *,
    how: How = AS_NEEDED,
    wait_s: int | None = None,
    lock_timeout_s: float = 10,
) -> UpResult:
    """Start a stack's containers and wait until it answers; where it does already, only look.

    Boards are leased anew, as `up` does: those that it had where they are free, else others of
    their kind.

    Args:
        world: Everything outside.
        stack: What `stack_to_start` returned.
        how: Whether boards may be reset, and whether its answer is waited for.
        wait_s: Seconds until the engine must be healthy; None for as long as its entry says.
        lock_timeout_s: Seconds to wait for another command's lock.

    Raises:
        TtctlError: One of its kinds for each thing that can be in the way.
    """
    with Hold(world, (stack,), timeout_s=lock_timeout_s) as hold:
        found = look(hold.world, stack, how=how)
        with named_reset("start", stack):
            return up(hold.world, found.request, how=how, wait_s=wait_s)


@contextmanager
def named_reset(verb: str, stack: str) -> Iterator[None]:
    """Have a refusal of boards that need a reset name the verb that was typed."""
    try:
        yield
    except DirtyError as dirty:
        dirty.next_step = f"ttctl {verb} {stack} --reset   # or: ttctl devices reset"
        raise


def _refuse_getting(stack: str, desired: Desired, plan: Plan) -> None:
    missing = [step for step in plan.steps if step.verb in GETS]
    if not missing:
        return
    raise EngineError(
        f"The stack {stack!r} cannot be started from what is here.",
        why="`start` and a boot fetch and build nothing: what it was started with is gone, or this"
        " ttctl makes it otherwise.",
        evidence="\n".join(f"{step.verb} {step.subject}: {step.reason}" for step in missing),
        next_step=typed_up(desired.lock.requested, stack),
    )
