# SPDX-License-Identifier: Apache-2.0
"""Bring back what was up before the machine, or its container engine, was started anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import DirtyError, EngineError, TtctlError, UsageError, WaitError
from ttctl.model.boot import Booted, BootedStack, BootFailure
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.choice import locked_request
from ttctl.operations.start_again import look
from ttctl.operations.swap_hold import Hold
from ttctl.operations.up import up
from ttctl.rules.boot import cards_missing
from ttctl.rules.generations import COMPOSE
from ttctl.rules.typed_request import typed_up
from ttctl.rules.written import boards_of

if TYPE_CHECKING:
    from ttctl.model.plan import How
    from ttctl.model.protocols import World

BOOT_S = 300
"""How long the engine, the driver's nodes and the hugepages may take together, seconds: a reboot
of a machine with many cards has the driver bring each of them up."""
POLL_S = 2.0
CONSENT = "`ttctl config set up.boot_reset true` lets a boot reset them."


@dataclass(frozen=True, slots=True, kw_only=True)
class BootLimits:
    """What a boot waits for, and for how long."""

    boot_s: int = BOOT_S
    """Seconds until the engine and the cards have to be there, counted from the begin."""
    wait_s: int | None = None
    """Seconds until each engine must be healthy; None for as long as its entry says."""
    lock_s: float = 10
    """Seconds to wait for another command's lock."""


USUAL = BootLimits()


def boot(
    world: World, *, how: How = AS_NEEDED, limits: BootLimits = USUAL, dry_run: bool = False
) -> Booted:
    """Bring every stack back that is wanted, in the order of their names, each as it is locked.

    What fails for one keeps no other from its start. What is up already is only looked at.

    Args:
        world: Everything outside, of which no hub and no registry is asked.
        how: Whether boards may be reset that need it.
        limits: How long what is waited for.
        dry_run: Whether to say only what would be done; nothing is waited for.

    Raises:
        WaitError: The container engine did not answer in time.
        TtctlError: It is not installed, or this user may not ask it.
    """
    begun = world.clock.now()
    names = world.wanted.names()
    until = begun + limits.boot_s
    if names and not dry_run:
        _await_engine(world, until=until, limit_s=limits.boot_s)
    engine_s = world.clock.now() - begun
    if dry_run:
        found = tuple(_seen(world, name, how) for name in names)
    else:
        found = tuple(_brought(world, name, how, limits, until=until) for name in names)
    return Booted(stacks=found, dry_run=dry_run, engine_s=engine_s)


def _await_engine(world: World, *, until: float, limit_s: int) -> None:
    if _refusal(world) is None:
        return
    with world.reporter.step(f"Wait for the container engine (at most {limit_s} s)"):
        while (refused := _refusal(world)) is not None:
            if world.clock.now() >= until:
                raise WaitError(
                    "The container engine did not answer, so that no stack could be started.",
                    why=f"It has {limit_s} s after a boot; --boot-timeout says another limit.",
                    evidence=" ".join(filter(None, (refused.message, refused.why))),
                    next_step=refused.next_step,
                )
            world.clock.sleep(POLL_S)


def _refusal(world: World) -> EngineError | None:
    try:
        world.engine.info()
    except EngineError as refused:
        return refused
    return None


def _seen(world: World, stack: str, how: How) -> BootedStack:
    begun = world.clock.now()
    try:
        _refuse_unlocked(world, stack)
        plan = look(world, stack, how=how).plan
    except TtctlError as failure:
        return _failed(world, stack, failure, begun)
    return BootedStack(stack=stack, outcome="would start" if plan.changes else "up already")


def _brought(
    world: World, stack: str, how: How, limits: BootLimits, *, until: float
) -> BootedStack:  # fmt: skip
    begun = world.clock.now()
    missing = ""
    try:
        missing = _await_cards(world, stack, until=until, limit_s=limits.boot_s)
        return _up(world, stack, how, limits)
    except TtctlError as failure:
        if missing:
            said = f"Waited for its cards until {limits.boot_s} s after the begin: {missing}."
            failure.evidence = "\n".join(filter(None, (failure.evidence, said)))
        return _failed(world, stack, failure, begun)


def _await_cards(world: World, stack: str, *, until: float, limit_s: int) -> str:
    """Wait for the boards that a stack had; return what is still missing at the limit.

    Then it is started all the same: others of their kind may be free, and else its refusal says
    what there is.
    """
    compose = world.folders.read_folder(world.store.folder(stack)).get(COMPOSE, "")
    boards = tuple(dict.fromkeys(name for _, names in boards_of(compose) for name in names))
    if not boards or not (missing := _missing(world, boards)):
        return ""
    with world.reporter.step(f"Wait for the cards of {stack}: {missing} (at most {limit_s} s)"):
        while missing and world.clock.now() < until:
            world.clock.sleep(POLL_S)
            missing = _missing(world, boards)
    return missing


def _missing(world: World, boards: tuple[str, ...]) -> str:
    return cards_missing(world.host.system(), world.vitals.cards(), boards)


def _up(world: World, stack: str, how: How, limits: BootLimits) -> BootedStack:
    with Hold(world, (stack,), timeout_s=limits.lock_s) as hold:
        inner = hold.world
        if not inner.wanted.is_wanted(stack):
            return BootedStack(stack=stack, outcome="ended")
        _refuse_unlocked(inner, stack)
        found = look(inner, stack, how=how)
        came = up(inner, found.request, how=how, wait_s=limits.wait_s)
    return BootedStack(
        stack=stack,
        outcome="started" if came.changed else "up already",
        url=came.url,
        seconds=came.seconds,
    )


def _refuse_unlocked(world: World, stack: str) -> None:
    if locked_request(world, stack) is not None:
        return
    lock = world.store.lock(stack)
    gone = "Its lock names an entry that the catalog has no more." if lock else "It has no lock."
    raise UsageError(
        f"The stack {stack!r} cannot be brought back as it is locked.",
        why=gone,
        evidence=f"Locked: {lock.model} on {lock.device}." if lock else "Nothing was changed.",
        next_step=typed_up(lock.requested, stack) if lock else f"ttctl up llama --name {stack}",
    )


def _failed(world: World, stack: str, failure: TtctlError, begun: float) -> BootedStack:
    evidence = [failure.evidence, CONSENT if isinstance(failure, DirtyError) else ""]
    return BootedStack(
        stack=stack,
        outcome="failed",
        seconds=world.clock.now() - begun,
        failure=BootFailure(
            what=failure.message,
            why=failure.why,
            evidence="\n".join(filter(None, evidence)),
            next_step=failure.next_step,
            exit_code=failure.exit_code,
            code=failure.code,
        ),
    )
