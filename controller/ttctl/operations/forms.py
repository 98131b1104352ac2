# SPDX-License-Identifier: Apache-2.0
"""Say what is desired in other forms than compose's: scripts and units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.operations.render_folder import LOCK_NAME, hash_of_recipe_files, render_files
from ttctl.rules.renderings import COMPOSE

if TYPE_CHECKING:
    from ttctl.model.plan import StackForm
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

MARK = "UNLOCKED"
UNLOCKED = """\
Rendered without asking a hub or a registry: what only they know is open.
An empty field of ttctl.lock is one that was not asked; `ttctl lock` asks.
TTCTL_WEIGHTS in .env is yours to set where it is empty.
"""


def in_forms(
    world: World, desired: Desired, forms: tuple[StackForm, ...], *, unlocked: bool = False
) -> Desired:
    """Return `desired` with the folder's files in these forms, and the lock that fits them."""
    if forms == COMPOSE and not unlocked:
        return desired
    files = render_files(
        world,
        lock=replace(desired.lock, files_sha256=""),
        stack=desired.stack,
        serving=desired.serving,
        base=desired.base,
        forms=forms,
        override=desired.override,
    )
    if unlocked:
        files[MARK] = (UNLOCKED, False)
    lock = replace(desired.lock, files_sha256=hash_of_recipe_files(files))
    files[LOCK_NAME] = (world.folders.lock_text(lock), False)
    return replace(desired, lock=lock, files=files)
