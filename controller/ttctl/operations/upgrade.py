# SPDX-License-Identifier: Apache-2.0
"""Resolve a stack anew: what would be another, and the exchange, which comes back by itself."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError, UsageError
from ttctl.model.generation import Exchanged
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.come_back import coming_back
from ttctl.operations.desire import desire
from ttctl.operations.desire_again import with_known_hashes
from ttctl.operations.generations import adopt, present, record
from ttctl.operations.laid_over import refuse_unleased
from ttctl.operations.port import with_free_port
from ttctl.operations.rollback import found_state
from ttctl.operations.stacks import pick_stack
from ttctl.operations.start import on_free_boards
from ttctl.operations.steps import plan_for
from ttctl.operations.tls import at_of
from ttctl.operations.up import bring_up
from ttctl.rules.generations import asked_again, difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.generation import Difference
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired
    from ttctl.operations.restore import State

WHY = "upgrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What a stack would be, resolved anew."""

    stack: str
    former: State
    """What its folder holds."""
    request: Request
    desired: Desired
    plan: Plan
    difference: Difference


def look(
    world: World, word: str | None, settings: Mapping[str, object], *, how: How = AS_NEEDED
) -> Upgrade:
    """Resolve a stack anew, and say what would be another; nothing is changed.

    Args:
        world: Everything outside.
        word: Names the stack; None for the only one there is.
        settings: By the field of a request that a setting fills: what it says now.
        how: Whether boards that a killed engine left behind may be reset.

    Raises:
        UsageError: There is no such stack, or it has no lock.
        TtctlError: What it would be cannot be had, or would not start here.
    """
    stack = pick_stack(world, word)
    former = found_state(world, stack)
    if former is None:
        raise UsageError(
            f"The stack {stack!r} has no lock.",
            why="An upgrade resolves anew what a lock names.",
            evidence=str(world.store.folder(stack)),
            next_step=f"ttctl down {stack}   # then bring it up again by its model",
        )
    kept = world.generations.kept(stack)
    request = asked_again(former.lock, present(world, stack, kept), settings)
    try:
        desired = with_free_port(world, desire(world, request, how=how, upgrade=True))
        refuse_unleased(world, desired)
        desired = on_free_boards(world, desired)
        if all(world.weights.is_complete(one) for one in desired.all_weights):
            desired = with_known_hashes(world, desired)
    except TtctlError as refusal:
        kept_as = f"Nothing was changed: {stack!r} stays as it is locked."
        refusal.evidence = "\n".join(filter(None, (refusal.evidence, kept_as)))
        raise
    files = {path: text for path, (text, _) in desired.files.items()}
    return Upgrade(
        stack=stack,
        former=former,
        request=request,
        desired=desired,
        plan=plan_for(world, desired, how),
        difference=difference(stack, (former.lock, former.files), (desired.lock, files)),
    )


def upgrade(
    world: World,
    found: Upgrade,
    *,
    how: How = AS_NEEDED,
    wait_s: int | None = None,
    lock_timeout_s: float = 10,
    goes_back: bool = True,
) -> Exchanged:
    """Do it: get all that is new while the stack goes on serving, then exchange it.

    Where it does not become ready, the stack is brought back as it was.

    Args:
        world: Everything outside.
        found: What `look` returned.
        how: Whether boards that a killed engine left behind may be reset.
        wait_s: Seconds until the engine must be healthy; None for as long as its entry says.
        lock_timeout_s: Seconds to wait for another command's lock.
        goes_back: Whether it is brought back; else what failed is left as it is.

    Raises:
        LockedError: Another command changes the stack.
        TtctlError: It failed, and says what serves now.
    """
    stack, started = found.stack, world.clock.now()
    number, changed = found.former.number, not found.difference.is_empty
    with ExitStack() as held:
        if changed:
            lock = world.store.exclusive(stack, timeout_s=lock_timeout_s, reporter=world.reporter)
            held.enter_context(lock)
            _refuse_changed(world, found)
            adopt(world, stack)
            with coming_back(world, found.former, what=WHY, how=how, goes_back=goes_back):
                bring_up(world, _unsaid(found.request), found.desired, how=how, wait_s=wait_s)
            number = record(world, stack, found.request, why=WHY)
    return Exchanged(
        stack=stack,
        changed=changed,
        generation=number,
        why=WHY,
        difference=found.difference,
        url=at_of(world, stack, found.desired.lock).url,
        seconds=world.clock.now() - started,
    )


def left(world: World, found: Upgrade) -> Exchanged:
    """Return what is said where nobody agreed: the stack is as it was."""
    return Exchanged(
        stack=found.stack,
        changed=False,
        generation=found.former.number,
        why=WHY,
        difference=found.difference,
        url=at_of(world, found.stack, found.former.lock).url,
        seconds=0,
    )


def _unsaid(request: Request) -> Request:
    """Return a request whose limits `up` leaves in the folder: what comes back is decided here."""
    return replace(
        request, max_model_len=None, max_num_seqs=None, block_size=None, engine_args=None
    )


def _refuse_changed(world: World, found: Upgrade) -> None:
    """Refuse a stack that another command has changed since its difference was shown.

    Raises:
        TtctlError: It has.
    """
    files = world.folders.read_folder(world.store.folder(found.stack))
    if files != found.former.files:
        raise TtctlError(
            f"The stack {found.stack!r} was changed meanwhile.",
            why="Its folder is not the one that the difference was shown for.",
            evidence="Nothing was changed by this command.",
            next_step=f"ttctl diff {found.stack}",
        )
