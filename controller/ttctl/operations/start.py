# SPDX-License-Identifier: Apache-2.0
"""Write a stack's folder and start its containers; on a card, on boards that nobody else takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import DirtyError
from ttctl.operations.desire import on_boards
from ttctl.operations.lease import stop_first, take
from ttctl.operations.reset import ResetWish, reset_under_guard
from ttctl.operations.start_watch import watched
from ttctl.rules.order import stuck

if TYPE_CHECKING:
    from ttctl.model.lease import Leased
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

GUARD_S = 60.0
"""How long another command of this host may choose and create before this one gives up."""
CONTAINER_USER = 1000
"""Whose files an image's server can write, but for those that change a cache's owner themselves."""
AT_WORK = frozenset({"running", "restarting", "paused"})
"""States of a container that has its nodes, or takes them by itself."""
OWNER_CHANGES = frozenset({"vllm-legacy"})


def boards_wanted(desired: Desired) -> bool:
    """Return whether the stack opens device nodes."""
    return any(service.nodes for service in desired.stack.services)


def on_free_boards(world: World, desired: Desired) -> Desired:
    """Return `desired` with the boards that it would get now: a look, which keeps nobody away.

    Raises:
        HeldError: Somebody has the boards.
        NoDeviceError: The machine's boards do not make up the device.
    """
    if not boards_wanted(desired):
        return desired
    return on_boards(world, desired, _taken(world, desired))


def refuse_dirty(desired: Desired, how: How) -> None:
    """Refuse boards that a killed engine left behind, unless a reset was agreed to.

    Raises:
        DirtyError: They need one.
    """
    leased = desired.terms.leased
    if leased is None or not leased.dirty or how.reset:
        return
    stack = desired.stack
    raise DirtyError(
        f"The boards for {stack.name!r} need a reset.",
        why="An engine was killed on them; the next start would wait for a chip that hangs.",
        evidence="; ".join(leased.dirty),
        next_step=f"ttctl up {desired.lock.requested} --reset   # or: ttctl devices reset",
    )


def start(
    world: World, desired: Desired, plan: Plan, *, before: dict[str, str], how: How, wait_s: int
) -> None:
    """Start what the plan wants started.

    Args:
        world: Everything outside.
        desired: What is wanted.
        plan: What has to be done for it.
        before: Files of the rendered folder as it was found.
        how: What is done though it need not be.
        wait_s: Seconds until the engine must be healthy.
    """
    starts = any(step.verb in {"start", "remove"} for step in plan.steps)
    if starts and boards_wanted(desired):
        desired = _created(world, desired, plan, before=before, how=how)
        how = replace(how, recreate=False)
    else:
        _write(world, desired, before)
        if starts:
            _remove_stuck(world, desired, plan)
    if not starts:
        return
    stack, reporter = desired.stack, world.reporter
    folder = world.store.folder(stack.name)
    with (
        reporter.step(f"Start {', '.join(service.name for service in stack.services)}"),
        watched(world, desired.serving.cache, limit_s=wait_s) as told,
    ):
        world.launcher.up(stack.name, folder, how=how, wait_s=wait_s, reporter=told)


def _remove_stuck(world: World, desired: Desired, plan: Plan) -> None:
    stack, reporter = desired.stack.name, world.reporter
    new_key = plan.wants("key", "gateway key")
    if broken := stuck(world.engine.containers(stack), new_key=new_key):
        with reporter.step(f"Remove {', '.join(broken)}"):
            folder = world.store.folder(stack)
            world.launcher.remove(stack, folder, broken, reporter=reporter)


def _created(
    world: World, desired: Desired, plan: Plan, *, before: dict[str, str], how: How
) -> Desired:
    """Take boards and create the containers that lease them, while nobody else can.

    The label of a container is the lease, so the guard is let go as soon as it is there.
    """
    stack, reporter = desired.stack.name, world.reporter
    if any(one.boards and one.state in AT_WORK for one in world.engine.containers(stack)):
        # Compose would replace it and take its exit code along.
        with reporter.step(f"Stop {stack} (each service has up to 120 s)"):
            stop_first(world, stack, timeout_s=None)
    with world.leases.guard(timeout_s=GUARD_S, reporter=reporter):
        leased = _taken(world, desired)
        if leased.dirty:
            refuse_dirty(on_boards(world, desired, leased), how)
            reset_under_guard(world, ResetWish(words=leased.boards))
            leased = _taken(world, desired)
        desired = on_boards(world, desired, leased)
        with reporter.step(f"Lease {', '.join(leased.nodes)}"):
            _prepare(world, desired)
            _write(world, desired, before)
            # Before its successor is made: removed after that, it would take the lease along.
            _remove_stuck(world, desired, plan)
            folder = world.store.folder(stack)
            world.launcher.create(stack, folder, recreate=how.recreate, reporter=reporter)
    return desired


def _taken(world: World, desired: Desired) -> Leased:
    return take(world, desired.spec.device, desired.stack.name, desired.request.boards)


def _prepare(world: World, desired: Desired) -> None:
    """Make what the containers mount: what the engine makes in its place would be root's."""
    serving = desired.serving
    changes = desired.stack.contract in OWNER_CHANGES
    user = None if changes else CONTAINER_USER
    world.engine_files.prepare(serving.cache, serving.cache_folders, user=user)
    if serving.wants_key:
        world.engine_files.ensure_key(desired.stack.name)


def _write(world: World, desired: Desired, before: dict[str, str]) -> None:
    wanted = {path: text for path, (text, _) in desired.files.items()}
    if before != wanted:
        with world.reporter.step("Write the rendered folder"):
            folder = world.store.folder(desired.stack.name)
            world.folders.write_folder(folder, desired.files, prune=True)
