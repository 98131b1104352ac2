# SPDX-License-Identifier: Apache-2.0
"""Make, revoke and exchange the keys of a stack; its running gateway learns of it at once.

The map file is the truth, and the gateway is told of all of it each time: so a command that was
killed between the two is put right by the next one.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from ttctl.errors import LockedError, UsageError
from ttctl.model.keys import OWN_KEY, KeyChange, KeyRow, NamedKey
from ttctl.operations.keys_told import before, held, in_order, put_back, written
from ttctl.operations.stacks import pick_stack
from ttctl.rules import keys as rules

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.operations.keys_told import Told

SHORTEST_S = 60
"""For so long the own key before the new one is valid at least, while its file is exchanged."""


def listed(world: World, word: str | None) -> tuple[NamedKey, ...]:
    """Return the keys of a stack, and let its gateway know them where nobody else changes them.

    Raises:
        UsageError: There is no such stack.
        PrivilegeError: Others of this host can get at the keys.
    """
    stack = pick_stack(world, word)
    now = world.clock.epoch()
    with suppress(LockedError), held(world, stack, timeout_s=0):
        return tuple(shown(stack, one, now) for one in in_order(world, stack))
    return tuple(shown(stack, one, now) for one in world.key_ring.read(stack).rows)


def new(
    world: World, name: str, word: str | None, *, dry_run: bool, lock_timeout_s: float
) -> KeyChange:
    """Make a named key, of which only the hash is kept.

    Raises:
        UsageError: The name is none, or has a key.
        EngineError: The gateway could not be told; nothing was changed then.
    """
    rules.checked_key_name(name)
    stack = pick_stack(world, word)
    with held(world, stack, timeout_s=lock_timeout_s):
        now = world.clock.epoch()
        rows = before(world, stack, now, dry_run=dry_run)
        if rules.named(rows, name):
            raise UsageError(
                f"The stack {stack!r} has a key {name!r} already.",
                why="A name says in the gateway's log whose key a request came with.",
                evidence=f"Keys: {_names(rows)}.",
                next_step=f"ttctl config key rotate {name} --stack {stack}",
            )
        key, sha256 = world.key_ring.new_key()
        row = KeyRow(name=name, sha256=sha256, made=now)
        told = written(world, stack, rows, (*rows, row), dry_run=dry_run)
    return _change(stack, name, "made", told, key=key, dry_run=dry_run)


def revoke(
    world: World, name: str, word: str | None, *, dry_run: bool, lock_timeout_s: float
) -> KeyChange:
    """Let a named key, and those before it of its name, be refused from now on.

    Raises:
        UsageError: There is none of that name, or it is the stack's own.
        EngineError: The gateway could not be told; nothing was changed then.
    """
    stack = pick_stack(world, word)
    if name == OWN_KEY:
        raise UsageError(
            f"The key {OWN_KEY!r} is the stack's own, and is not revoked.",
            why="With it ttctl itself asks the gateway whether the model answers.",
            evidence="It can be exchanged, and the one before it ended at once:",
            next_step=f"ttctl config key rotate --keep 0 --stack {stack}",
        )
    with held(world, stack, timeout_s=lock_timeout_s):
        rows = before(world, stack, world.clock.epoch(), dry_run=dry_run)
        gone = _known(stack, rows, name)
        left = tuple(one for one in rows if one not in gone)
        told = written(world, stack, rows, left, dry_run=dry_run)
    return _change(stack, name, "revoked", told, dry_run=dry_run)


def rotate(
    world: World,
    name: str | None,
    word: str | None,
    *,
    keep_s: int,
    dry_run: bool,
    lock_timeout_s: float,
) -> KeyChange:
    """Make a new key of a name; the one before it goes on being valid for `keep_s` seconds.

    Raises:
        UsageError: There is none of that name.
        EngineError: The gateway could not be told; nothing was changed then.
    """
    name = name or OWN_KEY
    stack = pick_stack(world, word)
    own = name == OWN_KEY
    with held(world, stack, timeout_s=lock_timeout_s):
        now = world.clock.epoch()
        rows = before(world, stack, now, dry_run=dry_run)
        _known(stack, rows, name)
        key, sha256 = world.key_ring.new_key()
        if own and not dry_run:
            # The gateway knows the new one before its file has it, and the old one until then: a
            # request of this moment is let through with either, and so is one after a kill.
            longer = rules.rotated(rows, name, sha256, now=now, keep_s=max(keep_s, SHORTEST_S))
            written(world, stack, rows, longer, dry_run=False)
            with put_back(world, stack, rows, unless=sha256):
                world.key_ring.set_own(stack, key)
            rows = longer
        ends = tuple(one for one in rows if one.sha256 != sha256)
        after = rules.rotated(ends, name, sha256, now=now, keep_s=keep_s)
        told = written(world, stack, rows, after, dry_run=dry_run)
    until = moment(now + keep_s) if keep_s else ""
    change = _change(stack, name, "rotated", told, key="" if own else key, dry_run=dry_run)
    return replace(change, until=until, key_file=world.keys.key_file(stack) if own else None)


def shown(stack: str, row: KeyRow, now: int) -> NamedKey:
    """Return what is shown of a key."""
    state: Literal["valid", "ending", "ended"] = "valid"
    if row.until:
        state = "ending" if row.until > now else "ended"
    return NamedKey(
        stack=stack, name=row.name, made=moment(row.made), until=moment(row.until), state=state
    )


def moment(second: int) -> str:
    """Return a second since 1970 as a time in UTC; nothing for 0."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)) if second else ""


def _known(stack: str, rows: tuple[KeyRow, ...], name: str) -> tuple[KeyRow, ...]:
    found = rules.named(rows, name)
    if found:
        return found
    names = sorted({one.name for one in rows})
    raise UsageError(
        f"The stack {stack!r} has no key {name!r}.",
        why="No key of that name was made, or it has ended.",
        evidence=f"Keys: {_names(rows)}.",
        next_step=f"ttctl config key ls {stack}",
        mistyped=name,
        meant=next(iter(get_close_matches(name, names, n=1)), ""),
    )


def _names(rows: tuple[KeyRow, ...]) -> str:
    return ", ".join(sorted({one.name for one in rows})) or "none"


def _change(
    stack: str,
    name: str,
    change: Literal["made", "revoked", "rotated"],
    told: Told | None,
    *,
    key: str = "",
    dry_run: bool,
) -> KeyChange:
    return KeyChange(
        stack=stack,
        name=name,
        change=change,
        key="" if dry_run else key,
        key_file=None,
        until="",
        gateway=told or "not asked",
        dry_run=dry_run,
    )
