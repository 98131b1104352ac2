# SPDX-License-Identifier: Apache-2.0
"""Write a stack's folder and start its containers; on a card, on boards that nobody else takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import DirtyError, StaleFilesError
from ttctl.operations.beside import engines_of, wants_of
from ttctl.operations.desire_again import on_boards
from ttctl.operations.lease import stop_first, take_each
from ttctl.operations.lost_port import naming_who_took_the_port
from ttctl.operations.port import with_free_port
from ttctl.operations.remove import remove_planned, remove_unstarted
from ttctl.operations.reset import ResetWish, reset_under_guard
from ttctl.operations.start_watch import watched
from ttctl.rules.board_steps import passed_text, stale_text
from ttctl.rules.to_end import AT_WORK
from ttctl.rules.typed_request import typed
from ttctl.rules.usual_start import start_key

if TYPE_CHECKING:
    from ttctl.model.lease import Leased
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.starts import Begun
    from ttctl.operations.desire import Desired

GUARD_S = 300.0
"""How long another command of this host may have the guard before this one gives up: one that
replaces its engine stops it first (240 s at most), and one that resets boards has 180 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a start."""

    desired: Desired
    """With the boards and the port that the stack has got."""
    begun: Begun | None
    """The start of an engine; None where none was started, or others with it."""


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
        next_step=f"{typed('up', desired.request, '--reset')}   # or: ttctl devices reset",
    )


def mind_stale(world: World, desired: Desired, how: How) -> None:
    """Say that a killed engine left files on the hugepages of the boards, or have somebody asked.

    Those of another user block the engine; it opens again what is its own user's.

    Raises:
        StaleFilesError: They are there, and `how` has somebody asked.
    """
    leased = desired.terms.leased
    if leased is None or not leased.stale or how.stale == "remove":
        return
    text = f"{stale_text(leased)} of boards that nobody has."
    if how.stale == "ask":
        raise StaleFilesError(
            "A killed engine left files on the hugepages.",
            why="Those of another user keep an engine from its boards.",
            evidence=text,
            next_step="ttctl devices clear",
        )
    world.reporter.note(f"{text} `ttctl devices clear` removes them.")


def mind_passed(world: World, desired: Desired) -> None:
    """Say which boards are left alone as they need a reset: others are taken in their place."""
    leased = desired.terms.leased
    if leased is not None and (text := passed_text(leased)):
        world.reporter.note(text)


def start(
    world: World, desired: Desired, plan: Plan, *, before: dict[str, str], how: How, wait_s: int
) -> Outcome:
    """Start what the plan wants started; an engine that it leaves alone keeps its boards.

    Args:
        world: Everything outside.
        desired: What is wanted.
        plan: What has to be done for it.
        before: Files of the rendered folder as it was found.
        how: What is done though it need not be.
        wait_s: Seconds until the engine must be healthy.
    """
    starts = plan.wants_any({"start", "remove"})
    if starts and plan.wants_any({"lease"}):
        desired = _created(world, desired, plan, before=before, how=how)
        how = replace(how, recreate=False)
    else:
        desired = with_free_port(world, desired)
        _write(world, desired, before)
        if starts:
            remove_planned(world, desired, plan)
    if not starts:
        return Outcome(desired=desired, begun=None)
    stack, reporter = desired.stack, world.reporter
    folder = world.store.folder(stack.name)
    with (
        reporter.step(f"Start {', '.join(service.name for service in stack.services)}"),
        watched(
            world,
            desired.serving.cache,
            limit_s=wait_s,
            key=start_key(desired.spec, stack.contract),
        ) as told,
        naming_who_took_the_port(world, desired),
    ):
        world.launcher.up(stack.name, folder, how=how, wait_s=wait_s, reporter=told)
    # A start beside other engines says nothing of one alone.
    alone = not desired.serving.beside and plan.wants("start", stack.engine.name)
    return Outcome(desired=desired, begun=told.begun if alone else None)


def _created(
    world: World, desired: Desired, plan: Plan, *, before: dict[str, str], how: How
) -> Desired:
    """Take boards and create the containers that lease them, while nobody else can.

    The label of a container is the lease, so the guard is let go as soon as it is there. An engine
    that is replaced is stopped under the guard, too: a container that has ended leases nothing, so
    its boards would be anybody's until its successor is made. Others wait for that long, and are
    told for whom. A label that went on to hold in an ended container could not be told from one
    that a crash left, and would outlive the command that meant to replace it.
    """
    stack, reporter = desired.stack.name, world.reporter
    with world.leases.guard(timeout_s=GUARD_S, reporter=reporter):
        leased = _stopped(world, desired)
        if leased.dirty:
            refuse_dirty(on_boards(world, desired, leased), how)
            leased = _reset(world, desired, leased)
        if how.stale == "remove":
            world.resets.remove_hugepages(leased.stale)
        desired = with_free_port(world, on_boards(world, desired, leased))
        with reporter.step(f"Lease {', '.join(leased.nodes)}"):
            _prepare(world, desired)
            _write(world, desired, before)
            # Before its successor is made: removed after that, it would take the lease along.
            remove_planned(world, desired, plan)
            folder = world.store.folder(stack)
            world.launcher.create(stack, folder, recreate=how.recreate, reporter=reporter)
    return desired


def _stopped(world: World, desired: Desired) -> Leased:
    """Take boards once the stack's own engine has stopped; what is refused stops none."""
    stack = desired.stack.name
    leased = _taken(world, desired)
    if any(one.boards and one.state in AT_WORK for one in world.engine.containers(stack)):
        # Compose would replace it and take its exit code along.
        with world.reporter.step(f"Stop {stack} (each service has up to 120 s)"):
            stop_first(world, stack, timeout_s=None)
        return _taken(world, desired)
    return leased


def _reset(world: World, desired: Desired, leased: Leased) -> Leased:
    """Reset the boards that a stack gets, and return them as they are then.

    Containers of its own that were made and never started would be in the way for good: they hold
    the boards, and a start that needs a reset first does not get as far as to start them.
    """
    remove_unstarted(world, desired.stack.name, leasing=True)
    image = next(one.image for one in desired.stack.services if one.nodes)
    reset_under_guard(world, ResetWish(words=leased.boards, instead=image))
    return _taken(world, desired, had=leased)


def _taken(world: World, desired: Desired, *, had: Leased | None = None) -> Leased:
    """Choose boards for every engine; `had` is a stack's part by part, where it was told."""
    stack, request = desired.stack.name, desired.request
    seen = world.engine.containers(stack)
    wants = []
    for want in wants_of(engines_of(desired)):
        labels = [board for one in seen if one.service == want.service for board in one.boards]
        before = had.of(want.service).boards if had else ()
        wants.append(replace(want, had=(*before, *labels)))
    return take_each(world, wants, stack, request.boards, request=request)


def _prepare(world: World, desired: Desired) -> None:
    """Make what the containers mount: what the engine makes in its place would be root's."""
    for one in desired.serving.each:
        world.engine_files.prepare(one.cache, one.cache_folders, user=one.writer)
        if one.wants_key:
            world.engine_files.ensure_key(desired.stack.name)


def _write(world: World, desired: Desired, before: dict[str, str]) -> None:
    wanted = {path: text for path, (text, _) in desired.files.items()}
    if before != wanted:
        with world.reporter.step("Write the rendered folder"):
            folder = world.store.folder(desired.stack.name)
            world.folders.write_folder(folder, desired.files, prune=True)
