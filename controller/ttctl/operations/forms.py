# SPDX-License-Identifier: Apache-2.0
"""Say what is desired in other forms than compose's: scripts, units, the lines to type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.operations.render_folder import (
    LOCK_NAME,
    dotenv_values,
    hash_of_recipe_files,
    render_files,
)
from ttctl.rules.docker_run import typed_commands
from ttctl.rules.interpolation import HERE
from ttctl.rules.renderable import check_stack
from ttctl.rules.renderings import COMPOSE
from ttctl.rules.stack import ENGINE_SERVICE

if TYPE_CHECKING:
    from ttctl.model.plan import StackForm
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired
    from ttctl.rules.docker_run import Command


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
    )
    if unlocked:
        files[MARK] = (UNLOCKED, False)
    lock = replace(desired.lock, files_sha256=hash_of_recipe_files(files))
    files[LOCK_NAME] = (world.folders.lock_text(lock), False)
    return replace(desired, lock=lock, files=files)


def commands(world: World, desired: Desired) -> tuple[Command, ...]:
    """Return the docker commands that make the stack, then how its engine serves by itself.

    Raises:
        BadFileError: The .env file lacks a value, or a field cannot be said.
    """
    stack = desired.stack
    check_stack(stack)
    place = dotenv_values(world, desired.lock, stack, desired.serving)
    # Which commit it is was not asked, so where it lies is the reader's to fill in.
    named = f"/path/to/{desired.weights.repository.rpartition('/')[2]}"
    values = {
        **place,
        "TTCTL_WEIGHTS": place["TTCTL_WEIGHTS"] or named,
        HERE: str(world.store.folder(stack.name)),
    }
    served = tuple(
        (*service.entrypoint, *service.command)
        for service in stack.services
        if service.name == ENGINE_SERVICE and service.entrypoint
    )
    return (*typed_commands(stack, values), *served)
