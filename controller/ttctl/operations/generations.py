# SPDX-License-Identifier: Apache-2.0
"""Keep the states in which a stack was ready, and list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.generation import GenerationRow
from ttctl.operations.stacks import is_unstarted, pick_stack
from ttctl.rules.generations import (
    COMPOSE,
    LOCK_NAME,
    as_recorded,
    asked_of,
    newest_of,
    same,
    together,
)
from ttctl.rules.to_end import AT_WORK
from ttctl.rules.written import images_of

if TYPE_CHECKING:
    from ttctl.model.generation import Generation
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request

FOUND = "found"
"""Why a state was made that was there before generations were kept."""


def adopt(world: World, stack: str) -> None:
    """Before a stack is changed for the first time, keep what was up as its first generation.

    To be called under the stack's lock. A stack that was never started has no such state. What is
    in the way of it is said, and raises nothing.
    """
    try:
        _adopt(world, stack)
    except TtctlError as error:
        world.reporter.note(f"no generation was made of {stack} as it was: {error.message}")


def _adopt(world: World, stack: str) -> None:
    if world.generations.is_kept_for(stack):
        return
    lock = world.store.lock(stack)
    if lock is not None and not is_unstarted(world, stack, world.engine.containers(stack)):
        files = world.folders.read_folder(world.store.folder(stack))
        world.generations.keep(stack, files, request=asked_of(lock), why=FOUND)
    world.generations.begin(stack)


def record(world: World, stack: str, request: Request, *, why: str, whole: bool = True) -> int:
    """Keep a stack's folder as a generation, now that it is ready, unless it is the newest.

    A `request` that is not `whole` goes on with what the newest one says, as `up` does with a lock.

    What is ready stays so where this fails: that is said, and raises nothing.

    Returns:
        The number of what serves; 0 where it could not be kept.
    """
    try:
        return _recorded(world, stack, request, why, whole=whole)
    except TtctlError as error:
        text = f"{error.message} {error.why}".strip()
        world.reporter.note(f"{stack} is up, and no generation was made of it: {text}")
        return 0


def _recorded(world: World, stack: str, request: Request, why: str, *, whole: bool) -> int:
    kept = world.generations.kept(stack)
    files = world.folders.read_folder(world.store.folder(stack))
    newest = kept[-1] if kept else None
    if newest is not None and same(world.generations.files(stack, newest.number), files):
        return newest.number
    lock = world.store.lock(stack)
    if not whole and newest is not None and _answers(newest, lock):
        request = together(request, newest.request)
    return world.generations.keep(stack, files, request=as_recorded(request), why=why)


def _answers(newest: Generation, lock: object) -> bool:
    """Return whether a lock is of the same entry: then what was said for that still holds."""
    names = ("requested", "model", "device", "engine", "implementation")
    return all(getattr(newest.lock, one) == getattr(lock, one, None) for one in names)


def present(world: World, stack: str, kept: tuple[Generation, ...]) -> Generation | None:
    """Return the newest generation that is what a stack's folder holds."""
    folder = world.folders.read_folder(world.store.folder(stack))
    if LOCK_NAME not in folder:
        return None
    pairs = ((one, world.generations.files(stack, one.number)) for one in kept)
    return newest_of(pairs, folder)


def is_up(world: World, stack: str) -> bool:
    """Return whether a container of a stack runs."""
    return any(one.state in AT_WORK for one in world.engine.containers(stack))


def history(world: World, word: str | None) -> tuple[GenerationRow, ...]:
    """Return the generations of a stack, the newest first.

    Raises:
        UsageError: There is no stack of that name, or several and no word.
        BadFileError: One of them is damaged.
    """
    stack = pick_stack(world, word, further=world.generations.stacks())
    kept = world.generations.kept(stack)
    found = present(world, stack, kept) if is_up(world, stack) else None
    serves = found.number if found is not None else 0
    return tuple(_row(world, stack, one, serves=one.number == serves) for one in reversed(kept))


def _row(world: World, stack: str, one: Generation, *, serves: bool) -> GenerationRow:
    lock, files = one.lock, world.generations.files(stack, one.number)
    return GenerationRow(
        number=one.number,
        at=one.at,
        why=one.why,
        model=lock.model,
        device=lock.device,
        engine=lock.engine,
        pins=tuple(f"{component} {commit}" for component, commit in lock.commits),
        images=images_of(files[COMPOSE]),
        revision=lock.weights.revision,
        serves=serves,
    )
