# SPDX-License-Identifier: Apache-2.0
"""Exchange a stack that is up for another one: all that can be refused comes before its end."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError, UsageError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.as_if_down import as_if_down
from ttctl.operations.choice import locked_request
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire
from ttctl.operations.gather import gather
from ttctl.operations.laid_over import refuse_unleased
from ttctl.operations.port import with_free_port
from ttctl.operations.preflight import check_machine, check_online
from ttctl.operations.stacks import down, known_stacks, pick_stack
from ttctl.operations.start import boards_wanted, on_free_boards
from ttctl.operations.steps import plan_for
from ttctl.operations.swap_back import Former, brought_back, dirt
from ttctl.operations.swap_hold import Hold, refuse_boards, refuse_needed_reset
from ttctl.operations.up import up
from ttctl.rules.stack import stack_name
from ttctl.rules.swap import say_untouched, swap_line, swap_steps
from ttctl.rules.to_end import AT_WORK
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired
    from ttctl.operations.up_result import UpResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A swap that nothing is in the way of, as far as looking tells."""

    former: Former
    """What is up, and how it is brought back."""
    request: Request
    """What is to be up in its place."""
    how: How
    desired: Desired
    """What that means here, once the boards and the port of `former` are free."""
    up: Plan
    """What brings it up then."""
    plan: Plan
    """The same with the end of `former` where it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """What a swap has done."""

    stopped: str
    """The stack that was taken down; its lock, its folder and its key stay."""
    up: UpResult
    """The stack that is up in its place."""
    back: str
    """The command that swaps them again."""
    pause_s: float
    """Seconds from the end of the one to the answer of the other; its own end among them."""


def look(world: World, word: str, request: Request, *, how: How = AS_NEEDED) -> Exchange:
    """Say what a swap would do; nothing is changed.

    Args:
        world: Everything outside.
        word: Names the stack that is up.
        request: What is to be up in its place.
        how: Whether boards that a killed engine left behind may be reset.

    Raises:
        UsageError: The one is not up, is what is asked for, or the other one is up already.
        TtctlError: What is asked for would not start here, were the stack down.
    """
    understood(world, request)
    former = _former(world, word, request)
    try:
        return _exchange(world, former, request, how)
    except TtctlError as refusal:
        say_untouched(refusal, former.stack, request)
        raise


def prepare(
    world: World,
    word: str,
    request: Request,
    *,
    how: How = AS_NEEDED,
    lock_timeout_s: float = 10,
) -> Exchange:
    """Look, and get the images and weights of what is wanted while the stack goes on serving.

    Raises:
        TtctlError: As `look`, or something could not be had; the stack goes on serving.
    """
    found = look(world, word, request, how=how)
    stack, name = found.former.stack, found.desired.stack.name
    seen = as_if_down(world, stack)
    try:
        with world.store.exclusive(name, timeout_s=lock_timeout_s, reporter=world.reporter):
            gather(world, found.desired, found.up)
        # That may have taken an hour: somebody may have taken the boards meanwhile.
        refuse_boards(seen, found.desired, how)
    except TtctlError as refusal:
        say_untouched(refusal, stack, request)
        raise
    except (KeyboardInterrupt, SystemExit):
        world.reporter.note(f"{stack} is up: nothing of it was touched")
        raise
    return found


def exchange(
    world: World, found: Exchange, *, wait_s: int | None = None, lock_timeout_s: float = 10
) -> Swapped:
    """Take the one stack down and bring the other one up; where that fails, the one again.

    From before the end of the one until containers of the other one are there, nobody else of this
    host takes boards: others wait for that long, or are refused.

    Args:
        world: Everything outside.
        found: What `prepare` returned.
        wait_s: Seconds until the engine must be healthy; None for as long as its entry says.
        lock_timeout_s: Seconds to wait for another command's lock.

    Raises:
        TtctlError: What kept the other one from coming up; it says which of them is up.
    """
    former, new = found.former, found.desired.stack.name
    hold = Hold(world, (former.stack, new), timeout_s=lock_timeout_s)
    with ExitStack() as held:
        try:
            held.enter_context(hold)
            if boards_wanted(found.desired):
                hold.guard()
                # Somebody may have taken one since it was looked at.
                refuse_boards(as_if_down(world, former.stack), found.desired, found.how)
        except TtctlError as refusal:
            say_untouched(refusal, former.stack, found.request)
            raise
        begun = world.clock.now()
        with brought_back(hold, former, new=new, how=found.how):
            down(hold.world, former.stack, volumes=False, dry_run=False, ends=False)
            came = up(hold.world, found.request, how=found.how, wait_s=wait_s)
            # Not before: a boot after a loss of power in between brings it back.
            hold.world.wanted.end(former.stack)
        return Swapped(
            stopped=former.stack,
            up=came,
            back=swap_line(new, former.request),
            pause_s=world.clock.now() - begun,
        )


def _former(world: World, word: str, request: Request) -> Former:
    """Return the stack that is up and can be brought back as it is.

    Raises:
        UsageError: It is not up, has what is asked for, or has no lock that it starts from.
    """
    stack = _known(world, word, request)
    if stack == stack_name(request):
        raise UsageError(
            f"The stack {stack!r} cannot be swapped for itself.",
            why="What is asked for has the same name; `up` replaces a stack in its place.",
            next_step=typed("up", request),
        )
    if not any(one.state in AT_WORK for one in world.engine.containers(stack)):
        raise UsageError(
            f"The stack {stack!r} is not up.",
            why="None of its containers runs, so nothing has to make room.",
            evidence=f"Stacks: {', '.join(known_stacks(world))}.",
            next_step=typed("up", request),
        )
    own = locked_request(world, stack)
    if own is None:
        raise UsageError(
            f"The stack {stack!r} could not be brought back if the swap failed.",
            why="It has no lock, or its lock names an entry that the catalog has no more.",
            evidence="Nothing was changed.",
            next_step=f"ttctl down {stack}   # then: {typed('up', request)}",
        )
    leases = any(one.boards for one in world.engine.containers(stack))
    return Former(stack=stack, request=own, leases=leases, dirt=dirt(world))


def _known(world: World, word: str, request: Request) -> str:
    try:
        return pick_stack(world, word)
    except UsageError as unknown:
        others = known_stacks(world)
        raise UsageError(
            unknown.message,
            why=unknown.why,
            evidence=unknown.evidence,
            next_step="ttctl ps" if others else typed("up", request),
        ) from unknown


def _exchange(world: World, former: Former, request: Request, how: How) -> Exchange:
    seen = as_if_down(world, former.stack)
    desired = with_free_port(seen, desire(seen, request, how=how))
    refuse_unleased(seen, desired)
    desired = on_free_boards(seen, desired)
    made = plan_for(seen, desired, how)
    if not made.changes:
        raise UsageError(
            f"The stack {desired.stack.name!r} is up already.",
            why="Everything of it is as it is wanted, so that it needs no room.",
            evidence=f"{former.stack!r} would only be stopped.",
            next_step=f"ttctl down {former.stack}",
        )
    check_machine(seen, desired, made)
    check_online(seen, desired, made)
    if made.wants_any({"lease"}):
        refuse_needed_reset(seen, desired, how)
    return Exchange(
        former=former,
        request=request,
        how=how,
        desired=desired,
        up=made,
        plan=swap_steps(former.stack, world.engine.containers(former.stack), made),
    )
