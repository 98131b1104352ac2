# SPDX-License-Identifier: Apache-2.0
"""Undo what a command began, without hiding why it ended."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.protocols import World


@contextmanager
def undoing(world: World, left: str) -> Iterator[None]:
    """Note that the block failed; what it undoes has a failure of its own, which is raised.

    Args:
        world: Everything outside.
        left: What is as it should not be where the block fails.
    """
    try:
        yield
    except TtctlError as error:
        world.reporter.note(f"{left}: {' '.join(filter(None, (error.message, error.why)))}")
