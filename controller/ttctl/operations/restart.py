# SPDX-License-Identifier: Apache-2.0
"""Stop a stack and start it again, while nobody else takes its boards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations import start_again
from ttctl.operations.as_if_down import as_if_stopped
from ttctl.operations.foreign import own_containers
from ttctl.operations.start import boards_wanted
from ttctl.operations.stop import stop
from ttctl.operations.swap_hold import Hold, refuse_boards
from ttctl.operations.up import up
from ttctl.rules.swap import swap_steps
from ttctl.rules.to_end import AT_WORK

if TYPE_CHECKING:
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.operations.start_again import Again
    from ttctl.operations.up_result import UpResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """A stack that was stopped and answers again."""

    stopped: Plan
    """What was stopped; nothing where it was stopped before."""
    up: UpResult
    pause_s: float
    """Seconds from the begin of the stop to the answer."""


def look(world: World, stack: str, *, how: How = AS_NEEDED) -> Plan:
    """Say what a restart would do; nothing is changed.

    Raises:
        TtctlError: It would not start again.
    """
    found = _look(world, stack, how)
    working = tuple(one for one in world.engine.containers(stack) if one.state in AT_WORK)
    return swap_steps(stack, working, found.plan) if working else found.plan


def restart(
    world: World,
    stack: str,
    *,
    how: How = AS_NEEDED,
    timeout_s: int | None = None,
    wait_s: int | None = None,
    lock_timeout_s: float = 10,
) -> Restarted:
    """Stop a stack and start it again as it is locked; what would not start is not stopped.

    From before its end until its containers lease its boards again, nobody else of this host takes
    boards, as while stacks are swapped.

    Args:
        world: Everything outside.
        stack: What `stack_to_start` returned.
        how: Whether boards may be reset, and whether its answer is waited for.
        timeout_s: Seconds that each container has to end; None for its own grace time.
        wait_s: Seconds until the engine must be healthy; None for as long as its entry says.
        lock_timeout_s: Seconds to wait for another command's lock.

    Raises:
        TtctlError: It would not start again; or it did not, and its evidence says that it is down.
    """
    with Hold(world, (stack,), timeout_s=lock_timeout_s) as hold:
        inner = hold.world
        found = _look(inner, stack, how)
        if boards_wanted(found.desired):
            hold.guard()
            # Somebody may have taken one since it was looked at.
            refuse_boards(as_if_stopped(inner, stack), found.desired, how)
        begun = world.clock.now()
        stopped = stop(inner, stack, timeout_s=timeout_s, ends=False)
        try:
            with start_again.named_reset("start", stack):
                came = up(inner, found.request, how=how, wait_s=wait_s)
        except TtctlError as failure:
            _say_down(failure, stack)
            raise
        except (KeyboardInterrupt, SystemExit):
            world.reporter.note(f"{stack} was stopped: `ttctl start {stack}` brings it back")
            raise
        return Restarted(stopped=stopped, up=came, pause_s=world.clock.now() - begun)


def _look(world: World, stack: str, how: How) -> Again:
    own_containers(world, stack)
    seen = as_if_stopped(world, stack)
    found = start_again.look(seen, stack, how=how)
    with start_again.named_reset("restart", stack):
        refuse_boards(seen, found.desired, how)
    return found


def _say_down(failure: TtctlError, stack: str) -> None:
    """Say in a failure of the start that the stack is not up, and what tries it again."""
    again = f"ttctl start {stack}"
    said = f"{stack!r} was stopped for this and is not up again; once that is mended: `{again}`."
    failure.evidence = "\n".join(filter(None, (failure.evidence, said)))
    failure.next_step = failure.next_step or again
