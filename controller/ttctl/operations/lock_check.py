# SPDX-License-Identifier: Apache-2.0
"""Is a stack's lock, and the folder that was rendered from it, what ttctl wrote?

Nothing is asked of a hub or a registry, nothing is pinned anew, nothing is written. Of .env the
numbers of the device nodes are free, which change with a reset; the user's own
compose.override.yaml and the secrets beside the folder are not looked at.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, UsageError
from ttctl.operations.desire import as_locked
from ttctl.operations.lock_files import (
    COMPOSE,
    as_written,
    line_of_compose,
    nodes_used,
    recipe_hash,
)
from ttctl.operations.render_folder import LOCK_NAME
from ttctl.rules.place_lines import as_started
from ttctl.rules.stack import stack_name
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request

DOTENV, SITE = ".env", "site/"

Texts = dict[str, str]


def check_lock(world: World, request: Request) -> Lock:
    """Return the lock of the stack that `request` names, found as it was written.

    Raises:
        UsageError: The stack has no lock.
        BadFileError: A byte of the lock or of the rendered folder is another; it names the file.
    """
    name = stack_name(request)
    lock = world.store.lock(name)
    if lock is None:
        raise UsageError(
            f"The stack {name!r} has no lock.",
            why="A lock is written by `lock`, and by the first `up`.",
            evidence=str(world.store.folder(name)),
            next_step=typed("lock", request),
        )
    folder = world.store.folder(name)
    found = world.folders.read_folder(folder)
    again = shlex.join(["ttctl", "lock", lock.requested, "--name", name])
    _compare(folder, LOCK_NAME, found, {LOCK_NAME: world.folders.lock_text(lock)}, again)
    desired = as_locked(world, name)
    wanted = {} if desired is None else {path: text for path, (text, _) in desired.files.items()}
    if recipe_hash(found) != lock.files_sha256:
        if desired is not None:
            _refuse_recipe(
                folder, found, as_written(world, desired, found, lock.files_sha256), again
            )
        raise _unknown(folder, again)
    if wanted:
        names = nodes_used(found.get(COMPOSE, ""))
        wanted[DOTENV] = as_started(found.get(DOTENV, ""), wanted[DOTENV], names)
    for path in sorted({*found, *wanted}) if wanted else ():
        if path == DOTENV or path.startswith(SITE):
            _compare(folder, path, found, wanted, again)
    return lock


def _refuse_recipe(folder: Path, found: Texts, wanted: Texts, again: str) -> None:
    """Refuse the first file that is another; compose.yaml only where no other one is."""
    for path in sorted({*found, *wanted} - {COMPOSE}):
        if path not in {DOTENV, LOCK_NAME} and not path.startswith(SITE):
            _compare(folder, path, found, wanted, again)
    _compare(folder, COMPOSE, found, wanted, again)


def _unknown(folder: Path, again: str) -> BadFileError:
    # Another ttctl renders it differently, or the catalog has the entry no more.
    return BadFileError(
        f"A file in {str(folder)!r} was changed by something else than ttctl.",
        why="The hash of all files is not the lock's, and this ttctl renders others.",
        evidence=f"{folder / LOCK_NAME}, key files_sha256",
        next_step=again,
    )


def _compare(folder: Path, path: str, found: Texts, wanted: Texts, again: str) -> None:
    """Refuse a file that is another; what it holds may be secret, so only the line is told."""
    one, other = found.get(path), wanted.get(path)
    if one == other:
        return
    if one is None or other is None:
        what = "is missing." if one is None else "was put there by something else than ttctl."
        place = str(folder / path)
    else:
        what = "was changed by something else than ttctl."
        place = f"{folder / path}{_line(path, one, other)}"
    raise BadFileError(
        f"{str(folder / path)!r} {what}",
        why="It is not what the lock was rendered to.",
        evidence=place,
        next_step=_aside(folder) if path == LOCK_NAME else again,
    )


def _line(path: str, one: str, other: str) -> str:
    if path == COMPOSE:
        number = line_of_compose(one, other)
        return f", line {number}" if number else ""
    pairs = zip(one.split("\n"), other.split("\n"), strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), -1)
    return f", line {same + 1 or 'at the end'}"


def _aside(folder: Path) -> str:
    return shlex.join(["mv", str(folder / LOCK_NAME), f"{folder / LOCK_NAME}.damaged"])
