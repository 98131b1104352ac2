# SPDX-License-Identifier: Apache-2.0
"""Look after the weights that are here: list, read again, remove."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.rules.find import is_meant

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec
    from ttctl.model.weights import Snapshot, Verdict


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
    specs = world.catalog.specs()
    repositories = {spec.weights.repository for spec in is_meant(specs, word)} | {word}
    # A folder of the user's that was not read yet has no more than its own name.
    names = {one.rpartition("/")[2] for one in repositories}
    found = tuple(
        one
        for one in here
        if one.repository in repositories or (one.keeper == "folder" and one.repository in names)
    )
    if not found:
        raise _none_of(word, tuple(dict.fromkeys(one.repository for one in here)), specs)
    return found


def by_size(world: World) -> tuple[Snapshot, ...]:
    """Return the snapshots that are here, the largest first."""
    return tuple(sorted(cached(world), key=lambda one: one.size_bytes, reverse=True))


def _none_of(word: str, here: tuple[str, ...], specs: tuple[ModelSpec, ...]) -> UsageError:
    near = get_close_matches(word, here, n=1)
    is_model = bool(is_meant(specs, word))
    otherwise = "ttctl models ls --cached" if here else "ttctl models ls"
    return UsageError(
        f"No weights of {word!r} are here.",
        why="They were never fetched, or were removed.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Here: {', '.join(here) or 'none'}.",
        next_step=f"ttctl models pull {word}" if is_model else otherwise,
        mistyped=word,
        meant=near[0] if near else "",
    )


def verify(world: World, word: str | None = None, *, quick: bool = False) -> tuple[Verdict, ...]:
    """Read snapshots from the first byte to the last; under `quick` only what has changed.

    What is not ttctl's own, and may be much, is read only where a model is named.
    """
    verdicts = []
    chosen = (one for one in cached(world, word) if word or one.keeper == "ttctl")
    for snapshot in chosen:
        with world.reporter.step(f"Read {snapshot.repository}"):
            verdicts.append(world.weights_cache.verdict(snapshot, world.reporter, quick=quick))
    return tuple(verdicts)


def to_remove(world: World, word: str) -> tuple[Snapshot, ...]:
    """Return what `remove` would remove.

    Raises:
        UsageError: None is here, or a stack that runs serves them.
    """
    snapshots = _ours(word, cached(world, word))
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


def _ours(word: str, found: tuple[Snapshot, ...]) -> tuple[Snapshot, ...]:
    """Leave out what other tools and the user keep: ttctl only reads it."""
    own = tuple(one for one in found if one.keeper == "ttctl")
    if not own:
        raise UsageError(
            f"The weights of {word!r} are not ttctl's to remove.",
            why="They lie in the cache of the hub's own tools, or in a folder of yours.",
            evidence=", ".join(str(one.folder) for one in found),
            next_step="ttctl models ls --cached",
        )
    return own


def remove(world: World, snapshots: tuple[Snapshot, ...]) -> None:
    """Remove these snapshots."""
    for snapshot in snapshots:
        with world.reporter.step(f"Remove {snapshot.repository}"):
            world.weights_cache.remove(snapshot, world.reporter)
