# SPDX-License-Identifier: Apache-2.0
"""Reset boards that were left in disorder, or say that they are in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import NoDeviceError, ToolMissingError, UsageError
from ttctl.model.lease import Spoiled
from ttctl.model.reset import ClearResult, Renumbered, ResetOrder, ResetResult
from ttctl.operations.lease import shared
from ttctl.operations.undo import undoing
from ttctl.rules.clear import check_clear
from ttctl.rules.domains import domains_of
from ttctl.rules.leases import lease_of
from ttctl.rules.reset import boards_meant, check_reset, reset_plan, stale_hugepages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import System
    from ttctl.model.protocols import World
    from ttctl.model.reset import ResetPlan

RETURN_S = 30.0
"""Seconds in which boards have to show themselves after a reset that went well."""
POLL_S = 0.5
LOCK_S = 10.0
SMI = "pipx install tt-smi"
"""What to type where no tt-smi is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetWish:
    """Which boards are meant, and what resets them."""

    words: tuple[str, ...] = ()
    """Names of boards; none for those that need it."""
    every: bool = False
    image: str = ""
    """The image whose tt-smi does it; empty for the host's."""
    instead: str = ""
    """The image whose tt-smi does it where the host has none; empty for no other."""


def plan(world: World, wish: ResetWish) -> ResetPlan:
    """Say what a reset would take down, and who is in its way.

    Raises:
        NoDeviceError: There is no board.
        UsageError: There is no such board, or none is known to need it.
    """
    found = shared(world)
    boards = boards_meant(found.system, wish.words, found.leases, every=wish.every)
    virtual = world.resets.virtual()
    planned = reset_plan(boards, found.system, found.leases, found.claims, virtual=virtual)
    if planned.galaxy and wish.image:
        raise _not_inside(planned, wish.image, next_step="ttctl devices reset --all")
    return planned


def _not_inside(planned: ResetPlan, image: str, *, next_step: str) -> UsageError:
    return UsageError(
        "A Galaxy is not reset from inside a container.",
        why="Its trays are reset through the machine's own controller.",
        evidence=f"Image: {image}; boards: {', '.join(planned.boards)}.",
        next_step=next_step,
    )


def reset(world: World, wish: ResetWish, *, lock_timeout_s: float = LOCK_S) -> ResetResult:
    """Reset boards with all that is linked to them, and look at the machine anew.

    Consent is the caller's matter. While it lasts nobody takes a board.

    Raises:
        LockedError: Another command chooses boards, and whatever `reset_under_guard` raises.
    """
    with world.leases.guard(timeout_s=lock_timeout_s, reporter=world.reporter):
        return reset_under_guard(world, wish)


def reset_under_guard(world: World, wish: ResetWish) -> ResetResult:
    """Do the same while `world.leases.guard(...)` is held already, as a start does.

    Raises:
        EngineError: tt-smi failed; the boards count as dirty.
        HeldError: Somebody has one of them.
        NoDeviceError: There is no such board any more, or one did not come back.
        PrivilegeError: Whether somebody has one cannot be seen.
        ToolMissingError: There is no tt-smi.
        UsageError: Only an image has it, and a Galaxy is reset from none.
        WaitError: It took longer than 180 s; the boards count as dirty.
    """
    # What was planned before the question may have been taken since.
    planned = plan(world, wish)
    check_reset(planned)
    before = world.host.system()
    order = ResetOrder(
        nodes=planned.nodes,
        galaxy=planned.galaxy,
        image=wish.image,
        root=world.leases.claims().root,
    )
    started = world.clock.now()
    with world.reporter.step(f"Reset {', '.join(planned.nodes)} (at most 180 s)"):
        expected = _shown(before) & set(planned.names)
        try:
            after = _reset(world, planned, order, expected=expected)
        except ToolMissingError as missing:
            if not wish.instead:
                raise
            order = _inside(planned, order, wish.instead, missing)
            world.reporter.note(f"tt-smi is not on this machine: that of {wish.instead} is used")
            after = _reset_inside(world, planned, order, expected=expected)
    world.leases.clear(planned.names)
    return ResetResult(
        plan=planned,
        done=True,
        renumbered=renumbered(before, after, planned.boards),
        seconds=world.clock.now() - started,
    )


def _inside(
    planned: ResetPlan, order: ResetOrder, image: str, missing: ToolMissingError
) -> ResetOrder:
    if planned.galaxy:
        raise _not_inside(planned, image, next_step=SMI) from missing
    return replace(order, image=image)


def _reset_inside(
    world: World, planned: ResetPlan, order: ResetOrder, *, expected: set[str]
) -> System:
    try:
        return _reset(world, planned, order, expected=expected)
    except ToolMissingError as missing:
        raise ToolMissingError(
            f"tt-smi is neither on this machine nor in the image {order.image!r}.",
            why=missing.why,
            evidence=missing.evidence,
            next_step=SMI,
        ) from missing


def _reset(
    world: World, planned: ResetPlan, order: ResetOrder, *, expected: set[str]
) -> System:  # fmt: skip
    try:
        world.resets.reset(order, world.reporter)
        return _returned(world, expected)
    except ToolMissingError:
        raise
    except BaseException:
        # Also a person's Ctrl-C: what was begun may be half done.
        failed = [Spoiled(board=name, reason="its last reset failed") for name in planned.names]
        with undoing(world, f"that {', '.join(planned.boards)} need a reset was not kept"):
            world.leases.remember(failed)
        raise


def _shown(system: System) -> set[str]:
    """Return the names of what has a node."""
    return {name for one in domains_of(system) if one.nodes for name in one.names}


def _returned(world: World, expected: set[str]) -> System:
    """Return the machine as soon as every board that had a node has one again."""
    deadline = world.clock.now() + RETURN_S
    while True:
        system = world.host.system()
        missing = sorted(expected - _shown(system))
        if not missing:
            return system
        if world.clock.now() >= deadline:
            raise NoDeviceError(
                "Not every board came back after the reset.",
                why=f"After {RETURN_S:.0f} s the driver does not show all of them.",
                evidence=f"Not seen: {', '.join(missing)}.",
                next_step="sudo dmesg | grep -i tenstorrent",
            )
        world.clock.sleep(POLL_S)


def renumbered(before: System, after: System, boards: Sequence[str]) -> tuple[Renumbered, ...]:
    """Return the boards whose nodes have other numbers now."""
    old = {board.id: board.nodes for board in before.boards}
    new = {board.id: board.nodes for board in after.boards}
    return tuple(
        Renumbered(board=board, before=old[board], after=new.get(board, ()))
        for board in boards
        if old[board] != new.get(board, ())
    )


def to_clear(world: World, wish: ResetWish) -> ClearResult:
    """Return the boards that `clear` would take for clean, and the files that it would remove.

    Raises:
        HeldError: Somebody has one of the boards.
        NoDeviceError: There is no board.
        UsageError: There is no such board, or none is known to need it.
    """
    found = shared(world)
    stale = stale_hugepages(found.claims.hugepages, found.leases)
    if stale and not wish.words and not any(lease.dirty for lease in found.leases):
        return ClearResult(boards=(), hugepages=stale, done=False)
    boards = boards_meant(found.system, wish.words, found.leases, every=wish.every)
    mine = list(dict.fromkeys(lease_of(board.id, found.leases) for board in boards))
    check_clear(mine)
    return ClearResult(
        boards=tuple(board.id for board in boards),
        hugepages=stale_hugepages(found.claims.hugepages, mine),
        done=False,
    )


def clear(world: World, wish: ResetWish, *, lock_timeout_s: float = LOCK_S) -> ClearResult:
    """Take boards for clean without a reset, and remove what nobody uses on the hugepages.

    Raises:
        HeldError: Somebody has one of the boards.
        LockedError: Another command chooses boards.
        PrivilegeError: A file belongs to another user.
    """
    with world.leases.guard(timeout_s=lock_timeout_s, reporter=world.reporter):
        found = to_clear(world, wish)
        names = [
            name
            for one in domains_of(world.host.system())
            if set(one.boards) & set(found.boards)
            for name in one.names
        ]
        if names:
            world.leases.clear(names)
        world.resets.remove_hugepages(found.hugepages)
    return ClearResult(boards=found.boards, hugepages=found.hugepages)
