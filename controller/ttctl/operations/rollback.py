# SPDX-License-Identifier: Apache-2.0
"""Bring a former generation of a stack back, exactly as it was locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, TtctlError
from ttctl.model.generation import Exchanged
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.come_back import coming_back
from ttctl.operations.foreign import own_containers
from ttctl.operations.generations import adopt, present, record
from ttctl.operations.lock_files import recipe_hash
from ttctl.operations.restore import State, check_boards, missing_of, restore
from ttctl.operations.stacks import pick_stack
from ttctl.operations.tls import at_of, refuse_locked
from ttctl.rules.generations import difference, meant, same

if TYPE_CHECKING:
    from ttctl.model.generation import Difference, Generation
    from ttctl.model.plan import How
    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """A rollback that nothing is in the way of, as far as looking tells."""

    stack: str
    to: Generation
    state: State
    """What it leads to."""
    former: State | None
    """What the stack's folder holds; None where its lock is gone."""
    difference: Difference
    fetch: bool = False
    """Whether images and weights that are gone are to be had again."""


def found_state(world: World, stack: str) -> State | None:
    """Return what a stack's folder holds, None where it has no lock."""
    lock = world.store.lock(stack)
    if lock is None:
        return None
    files = world.folders.read_folder(world.store.folder(stack))
    now = present(world, stack, world.generations.kept(stack))
    return State(stack=stack, lock=lock, files=files, number=now.number if now else 0)


def look(
    world: World, word: str | None, to: int | None, *, how: How = AS_NEEDED, fetch: bool = False
) -> Rollback:
    """Say what a rollback would do; nothing is changed, and no hub and no registry is asked.

    Args:
        world: Everything outside.
        word: Names the stack; None for the only one there is.
        to: The number of a generation; None for the one before.
        how: Whether boards that a killed engine left behind may be reset.
        fetch: Whether images and weights that are gone are to be had again.

    Raises:
        UsageError: There is no such stack, or no such generation.
        BadFileError: The generation is not as it was written.
        TtctlError: Images, weights or boards of it cannot be had; it says what to type.
    """
    stack = pick_stack(world, word, further=world.generations.stacks())
    own_containers(world, stack)
    kept = world.generations.kept(stack)
    former = found_state(world, stack)
    one = meant(stack, kept, to, present=former.number if former else 0)
    files = world.generations.files(stack, one.number)
    if recipe_hash(files) != one.lock.files_sha256:
        raise BadFileError(
            f"Generation {one.number} of {stack!r} is not as it was written.",
            why="The hash over its files is not the one in its lock.",
            evidence=f"Key files_sha256: {one.lock.files_sha256}.",
            next_step=f"ttctl history {stack}   # and another of them with --to",
        )
    state = State(stack=stack, lock=one.lock, files=files, number=one.number)
    if not fetch:
        _refuse_gone(world, state)
    refuse_locked(world, state.lock)
    check_boards(world, state, how)
    before = (former.lock, former.files) if former else (None, {})
    moved = difference(stack, before, (one.lock, files))
    return Rollback(stack=stack, to=one, state=state, former=former, difference=moved, fetch=fetch)


def rollback(
    world: World,
    found: Rollback,
    *,
    how: How = AS_NEEDED,
    wait_s: int | None = None,
    lock_timeout_s: float = 10,
) -> Exchanged:
    """Do it; where the former generation does not become ready, what served is started again.

    Raises:
        TtctlError: It failed, and says what serves now.
    """
    stack, started = found.stack, world.clock.now()
    with world.store.exclusive(stack, timeout_s=lock_timeout_s, reporter=world.reporter):
        adopt(world, stack)
        if found.fetch:
            _have(world, found.state)
        why = f"rollback to {found.to.number}"
        former = found_state(world, stack) or found.state
        changed = not same(former.files, found.state.files)
        with coming_back(world, former, what=why, how=how):
            restore(world, found.state, how=how, wait_s=wait_s)
        world.wanted.want(stack)
        number = record(world, stack, found.to.request, why=why)
    return Exchanged(
        stack=stack,
        changed=changed,
        generation=number,
        why=why,
        difference=found.difference,
        url=at_of(world, stack, found.to.lock).url,
        seconds=world.clock.now() - started,
    )


def _refuse_gone(world: World, state: State) -> None:
    images, weights = missing_of(world, state)
    if not images and not weights:
        return
    kinds = " and ".join(
        kind for kind, names in (("images", images), ("weights", weights)) if names
    )
    built = [one for one in images if "@" not in one]
    again = f"ttctl upgrade {state.stack}   # makes what is needed now"
    fetch = f"ttctl rollback {state.stack} --to {state.number} --fetch"
    raise TtctlError(
        f"The {kinds} of generation {state.number} of {state.stack!r} are not here any more.",
        why="A rollback resolves and builds nothing: what was locked has to be here.",
        evidence=f"Gone: {', '.join((*images, *weights))}. Nothing was changed.",
        next_step=again if built else fetch,
    )


def _have(world: World, state: State) -> None:
    """Get again what was locked by its digest or its revision, while the stack goes on serving.

    Raises:
        TtctlError: It cannot be had.
    """
    for image in missing_of(world, state)[0]:
        if "@" in image:
            with world.reporter.step(f"Pull {image}"):
                world.builder.pull(image, world.reporter)
    for one in (state.lock.weights, *(each.weights for each in state.lock.beside)):
        if one.revision and not world.weights.is_complete(one):
            with world.reporter.step(f"Fetch weights {one.repository}"):
                world.weights.fetch(one, world.site, world.reporter)
    _refuse_gone(world, state)
