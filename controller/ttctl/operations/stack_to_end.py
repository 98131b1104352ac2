# SPDX-License-Identifier: Apache-2.0
"""Which stack is to be taken down? Nothing is guessed: a guess would end what nobody meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.operations.stacks import known_stacks, pick_stack
from ttctl.rules.stack import checked_name, names_of

if TYPE_CHECKING:
    from ttctl.model.protocols import World


def stack_to_end(world: World, word: str | None) -> str:
    """Return the stack that `down` means.

    One that is stopped already is still known by its lock, so that a script can end it twice.

    Raises:
        UsageError: Neither a lock, a folder nor a container has this name, or several are here and
            there is no word.
    """
    names = known_stacks(world)
    if word is not None and not set(names_of(word)) & set(names):
        return _left(world, checked_name(word), names)
    try:
        return pick_stack(world, word)
    except UsageError as exc:
        raise UsageError(
            exc.message, why=exc.why, evidence=exc.evidence, next_step="ttctl ps -a"
        ) from exc


def _left(world: World, name: str, names: tuple[str, ...]) -> str:
    """Return `name` where something of it is here though it has no lock, or is another user's."""
    files = world.folders.read_folder(world.store.folder(name))
    if files or world.keys.has_key(name) or world.engine.containers(name):
        return name
    near = get_close_matches(name, names, n=1)
    raise UsageError(
        f"There is no stack {name!r}.",
        why="No lock, no folder and no container has this name; nothing was taken down.",
        evidence=f"Stacks: {', '.join(names) or 'none'}."
        + (f" Nearest: {near[0]}." if near else ""),
        next_step="ttctl ps -a",
    )
