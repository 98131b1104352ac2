# SPDX-License-Identifier: Apache-2.0
"""Which stack is to end? Nothing is guessed: a guess would end what nobody meant."""

from __future__ import annotations

from difflib import get_close_matches
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.operations.stacks import known_stacks, pick_stack
from ttctl.rules.stack import checked_name, names_of

if TYPE_CHECKING:
    from ttctl.model.protocols import World


def stack_to_end(world: World, word: str | None) -> str:
    """Return the stack that `down`, `stop` or `restart` means.

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


def stacks_to_end(world: World, word: str | None, *, every: bool, verb: str) -> tuple[str, ...]:
    """Return the stacks that a verb with `--all` means; none where none is here and none is named.

    Args:
        world: Everything outside.
        word: Names one.
        every: Whether all of them are meant.
        verb: `down` or `stop`.

    Raises:
        UsageError: Both were said, or as `stack_to_end`.
    """
    if every and word:
        raise UsageError(
            f"Either the stack {word!r} or all of them.",
            why=f"--all would {'take' if verb == 'down' else 'stop'} every other stack"
            f"{' down' if verb == 'down' else ''} too.",
            next_step=f"ttctl {verb} {quote(word)}   # or: ttctl {verb} --all",
        )
    names = known_stacks(world)
    if not every and (word or names):
        return (stack_to_end(world, word),)
    return names


def _left(world: World, name: str, names: tuple[str, ...]) -> str:
    """Return `name` where something of it is here though it has no lock, or is another user's."""
    files = world.folders.read_folder(world.store.folder(name))
    if files or world.keys.has_key(name) or world.engine.containers(name):
        return name
    near = get_close_matches(name, names, n=1)
    raise UsageError(
        f"There is no stack {name!r}.",
        why="No lock, no folder and no container has this name; nothing was changed.",
        evidence=f"Stacks: {', '.join(names) or 'none'}."
        + (f" Nearest: {near[0]}." if near else ""),
        next_step="ttctl ps -a",
    )
