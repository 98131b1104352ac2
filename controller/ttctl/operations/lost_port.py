# SPDX-License-Identifier: Apache-2.0
"""Say who took a port while a start went on, and leave no container that waits for it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, TtctlError
from ttctl.operations.port import taken
from ttctl.operations.remove import remove_unstarted
from ttctl.operations.undo import undoing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.errors import UsageError
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired


@contextmanager
def naming_who_took_the_port(world: World, desired: Desired) -> Iterator[None]:
    """Say who took the port after it was looked at, and leave nothing that waits for it.

    Raises:
        UsageError: Somebody has it, so that the start has failed.
    """
    try:
        yield
    except EngineError as failure:
        if refusal := _refusal(world, desired):
            with undoing(world, f"containers of {desired.stack.name} wait for the port"):
                remove_unstarted(world, desired.stack.name)
            raise refusal from failure
        raise


def _refusal(world: World, desired: Desired) -> UsageError | None:
    """Return what is said of a port that was taken; where nobody can be asked, nothing is."""
    with suppress(TtctlError):
        return taken(world, desired)
    return None
