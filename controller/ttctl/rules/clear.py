# SPDX-License-Identifier: Apache-2.0
"""May boards be taken for clean? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import HeldError
from ttctl.rules.board_pick import release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.lease import Lease


def check_clear(leases: Sequence[Lease]) -> None:
    """Refuse to take boards for clean that somebody has: how they are left is not known yet.

    Where only nobody can be seen it is allowed: nothing is reset, and no file of theirs removed.

    Raises:
        HeldError: Somebody has one of the boards.
    """
    held = [lease for lease in leases if lease.holders]
    if not held:
        return
    users = (
        f"board {', '.join(lease.domain.boards)}: held by {', '.join(map(str, lease.holders))}"
        for lease in held
    )
    raise HeldError(
        "A board that would count as clean is in use.",
        why="Whether it is in order is known when whoever has it lets it go.",
        evidence=f"{'; '.join(users)}.",
        next_step=release(held[0]),
    )
