# SPDX-License-Identifier: Apache-2.0
"""Is a stack's lock, and the folder that was rendered from it, what ttctl wrote?

Nothing is asked of a hub or a registry, nothing is pinned anew, nothing is written.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, UsageError
from ttctl.operations.desire import as_locked
from ttctl.operations.render_folder import LOCK_NAME, hash_of_recipe_files
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request

DOTENV, SITE = ".env", "site/"
AT_START = ("TTCTL_NODE_", "TTCTL_HUGEPAGES=")
"""Lines of .env that the start of a stack fills in: a node's number changes with a reset."""

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
            next_step=f"ttctl lock {shlex.quote(request.model)}",
        )
    folder = world.store.folder(name)
    found = world.folders.read_folder(folder)
    again = shlex.join(["ttctl", "lock", lock.requested, "--name", name])
    _compare(folder, LOCK_NAME, found, {LOCK_NAME: world.folders.lock_text(lock)}, again)
    desired = as_locked(world, name)
    wanted = {} if desired is None else {path: text for path, (text, _) in desired.files.items()}
    if hash_of_recipe_files({path: (text, False) for path, text in found.items()}) != (
        lock.files_sha256
    ):
        _refuse_recipe(folder, found, wanted, again)
    for path in sorted({*found, *wanted}) if wanted else ():
        if path == DOTENV or path.startswith(SITE):
            _compare(folder, path, found, wanted, again)
    return lock


def _refuse_recipe(folder: Path, found: Texts, wanted: Texts, again: str) -> None:
    for path in sorted({*found, *wanted}) if wanted else ():
        if path not in {DOTENV, LOCK_NAME} and not path.startswith(SITE):
            _compare(folder, path, found, wanted, again)
    # Another ttctl renders it differently, or the catalog has the entry no more.
    raise BadFileError(
        f"A file in {str(folder)!r} was changed by something else than ttctl.",
        why="The hash of all files is not the lock's, and this ttctl renders others.",
        evidence=f"{folder / LOCK_NAME}, key files_sha256",
        next_step=again,
    )


def _compare(folder: Path, path: str, found: Texts, wanted: Texts, again: str) -> None:
    """Refuse a file that is another; what it holds may be secret, so only the line is told."""
    one, other = _told(path, found.get(path)), _told(path, wanted.get(path))
    if one == other:
        return
    if one is None or other is None:
        what = "is missing." if one is None else "was put there by something else than ttctl."
        place = str(folder / path)
    else:
        what = "was changed by something else than ttctl."
        pairs = zip(one.split("\n"), other.split("\n"), strict=False)
        same = next((n for n, (a, b) in enumerate(pairs) if a != b), -1)
        place = f"{folder / path}, line {same + 1 or 'at the end'}"
    raise BadFileError(
        f"{str(folder / path)!r} {what}",
        why="It is not what the lock was rendered to.",
        evidence=place,
        next_step=_aside(folder) if path == LOCK_NAME else again,
    )


def _aside(folder: Path) -> str:
    return shlex.join(["mv", str(folder / LOCK_NAME), f"{folder / LOCK_NAME}.damaged"])


def _told(path: str, text: str | None) -> str | None:
    if text is None or path != DOTENV:
        return text
    return "\n".join(line for line in text.split("\n") if not line.startswith(AT_START))
