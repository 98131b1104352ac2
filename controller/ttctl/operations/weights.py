# SPDX-License-Identifier: Apache-2.0
"""Look after the weights that are here: list, read again, remove."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.weights import Verdict
from ttctl.rules.find import is_meant

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.model.weights import Snapshot


def cached(world: World, word: str | None = None) -> tuple[Snapshot, ...]:
    """Return the snapshots that are here: of one model, or all.

    Args:
        word: A model, an alias, or a repository; None for all.

    Raises:
        UsageError: Nothing here has this name.
    """
    here = world.weights_cache.snapshots()
    if word is None:
        return here
    repositories = {spec.weights.repository for spec in is_meant(world.catalog.specs(), word)} | {
        word
    }
    found = tuple(one for one in here if one.repository in repositories)
    if not found:
        near = get_close_matches(word, [one.repository for one in here], n=1)
        raise UsageError(
            f"No weights of {word!r} are here.",
            why="They were never fetched, or were removed.",
            evidence=f"Here: {', '.join(one.repository for one in here) or 'none'}.",
            next_step=f"ttctl models verify {near[0]}" if near else f"ttctl models pull {word}",
        )
    return found


def verify(world: World, word: str | None = None) -> tuple[Verdict, ...]:
    """Read snapshots from the first byte to the last."""
    verdicts = []
    for snapshot in cached(world, word):
        with world.reporter.step(f"Read {snapshot.repository}"):
            damaged = world.weights_cache.damaged(snapshot, world.reporter)
        verdicts.append(Verdict(snapshot=snapshot, damaged=damaged))
    return tuple(verdicts)


def to_remove(world: World, word: str) -> tuple[Snapshot, ...]:
    """Return what `remove` would remove.

    Raises:
        UsageError: None is here, or a stack that runs serves them.
    """
    snapshots = cached(world, word)
    for snapshot in snapshots:
        for stack in world.store.stacks():
            lock = world.store.lock(stack)
            same = lock is not None and world.weights.path(lock.weights) == snapshot.folder
            if same and world.engine.containers(stack):
                raise UsageError(
                    f"The weights {snapshot.repository!r} are in use.",
                    why=f"The stack {stack!r} has containers that read them.",
                    evidence=str(snapshot.folder),
                    next_step=f"ttctl down {stack}",
                )
    return snapshots


def remove(world: World, snapshots: tuple[Snapshot, ...]) -> None:
    """Remove these snapshots."""
    for snapshot in snapshots:
        with world.reporter.step(f"Remove {snapshot.repository}"):
            world.weights_cache.remove(snapshot, world.reporter)
