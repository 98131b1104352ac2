# SPDX-License-Identifier: Apache-2.0
"""Is what a user laid over a stack in nobody's way, before anything is changed?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.rules.override_cards import numbers
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired


def refuse_unleased(world: World, desired: Desired) -> None:
    """Refuse a card that an override opens for any service: ttctl leases boards, a file cannot.

    Raises:
        BadFileError: It names nodes, or what opens every card where the machine has one.
    """
    override, stack = desired.override, desired.stack
    if override is None:
        return
    boards = any(one.nodes for one in stack.services)
    carded = boards or bool(world.host.system().boards)
    found = (*override.nodes, *(override.every_card if carded else ()))
    if not found:
        return
    boards_asked = desired.request.boards or (numbers(override.nodes) if boards else ())
    again = typed("up", replace(desired.request, boards=boards_asked))
    raise BadFileError(
        f"{override.path!r} opens cards past the leases of their boards.",
        why="ttctl leases boards and an override cannot: two that open one card hang both."
        " Which boards a stack gets is said by --board.",
        evidence="; ".join(found),
        next_step=f"{again}   # once the file does without",
    )
