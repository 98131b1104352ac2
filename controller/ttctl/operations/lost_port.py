# SPDX-License-Identifier: Apache-2.0
"""Say who took a port while a start went on, and leave no container that waits for it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.operations.port import taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired


def _remove_husks(world: World, stack: str) -> None:
    """Remove a stack's containers that never started; call it under the stack's lock."""
    made = world.engine.containers(stack)
    husks = [one.service for one in made if one.state == "created" and one.composed]
    if husks:
        with world.reporter.step(f"Remove {', '.join(husks)}, never started"):
            folder = world.store.folder(stack)
            world.launcher.remove(stack, folder, husks, reporter=world.reporter)


@contextmanager
def naming_who_took_the_port(world: World, desired: Desired) -> Iterator[None]:
    """Say who took the port after it was looked at, and leave nothing that waits for it.

    Raises:
        UsageError: Somebody has it, so that the start has failed.
    """
    try:
        yield
    except EngineError as failure:
        if refusal := taken(world, desired):
            _remove_husks(world, desired.stack.name)
            raise refusal from failure
        raise
