# SPDX-License-Identifier: Apache-2.0
"""Bring a stack back where what was to be up in its place did not come up."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.operations.lease import shared, stop_first
from ttctl.operations.up import up
from ttctl.rules.swap import instead
from ttctl.rules.to_end import AT_WORK
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.plan import How
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.swap_hold import Hold

LOCK_S = 30.0
"""Seconds to wait for another command's lock, where nobody can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A stack that is up before a swap."""

    stack: str
    request: Request
    """What brings it up as it is locked."""
    leases: bool = False
    """Whether its containers lease boards."""
    dirt: frozenset[str] = frozenset()
    """Why boards needed a reset before."""


def dirt(world: World) -> frozenset[str]:
    """Return why boards of this machine need a reset, empty where none does."""
    system = world.host.system()
    if not system.boards:
        return frozenset()
    return frozenset(one.dirty for one in shared(world, system).leases if one.dirty)


@contextmanager
def brought_back(hold: Hold, former: Former, *, new: str, how: How) -> Iterator[None]:
    """Bring `former` up again where the block fails or is ended, and say so.

    Args:
        hold: Keeps the boards until they are leased.
        former: The stack that was up.
        new: The stack that was to be up in its place; it is stopped first.
        how: What was agreed to.

    Raises:
        TtctlError: What the block raised; its evidence says which of the two is up.
    """
    try:
        yield
    except TtctlError as failure:
        _tell(failure, _bring_back(hold, former, new, how), former, new)
        raise
    except (KeyboardInterrupt, SystemExit):
        reporter = hold.world.reporter
        reporter.note(f"{former.stack} is brought back; ended again, neither may be up")
        for line in _bring_back(hold, former, new, how)[0]:
            reporter.note(line)
        raise


def _tell(
    failure: TtctlError, came: tuple[list[str], TtctlError | None], former: Former, new: str
) -> None:
    """Put what came of it into the refusal; what it says of containers that are gone goes."""
    lines, refused = came
    gone = f"`ttctl down {new}` lets go."
    before = [line for line in failure.evidence.splitlines() if not line.endswith(gone)]
    failure.evidence = "\n".join([*before, *lines])
    if refused is None:
        failure.next_step = instead(failure.next_step, former.stack)
    else:
        failure.next_step = refused.next_step or typed("up", former.request)


def _bring_back(
    hold: Hold, former: Former, new: str, how: How
) -> tuple[list[str], TtctlError | None]:
    """Return what is to be said, and why the stack is not up again; None where it is."""
    world, lines = hold.world, list[str]()
    if former.leases:
        # Before the other one's boards are free; without the guard it is tried all the same.
        with suppress(TtctlError):
            hold.guard()
    try:
        _let_go(world, new)
    except TtctlError as error:
        lines.append(f"{new!r} could not be stopped: {error.message}")
    if left := dirt(world) - former.dirt:
        lines.append(f"Boards were left that need a reset: {'; '.join(sorted(left))}.")
    try:
        # As it is locked: what was agreed to for the other one is a reset, and no more.
        up(world, former.request, how=replace(how, stale="keep"), lock_timeout_s=LOCK_S)
    except TtctlError as error:
        why = " ".join(filter(None, (error.message, error.why)))
        return [*lines, f"{former.stack!r} could not be brought back: {why}"], error
    return [*lines, f"{former.stack!r} is up again, as it is locked."], None


def _let_go(world: World, new: str) -> None:
    """Have a stack let go of its boards and its port; its containers stay for their logs.

    One that was made and never started has no log, and would hold its boards for good.
    """
    with world.store.exclusive(new, timeout_s=LOCK_S, reporter=world.reporter):
        seen = world.engine.containers(new)
        if unstarted := [one.service for one in seen if one.state == "created"]:
            folder = world.store.folder(new)
            world.launcher.remove(new, folder, unstarted, reporter=world.reporter)
        if any(one.state in AT_WORK for one in seen):
            with world.reporter.step(f"Stop {new} (each service has up to 120 s)"):
                stop_first(world, new, timeout_s=None)
