# SPDX-License-Identifier: Apache-2.0
"""What does a plan do with boards before their engine starts? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.plan import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.lease import Leased
    from ttctl.model.service import Stack


def board_steps(stack: Stack, services: Sequence[Step], leased: Leased | None) -> tuple[Step, ...]:
    """Return the steps for the boards of a stack; none where it opens no node.

    Args:
        stack: What is wanted.
        services: The steps of its services, in their order.
        leased: The boards that it would get; None while none is chosen.
    """
    engines = {one.name for one in stack.services if one.nodes}
    if not engines:
        return ()
    starts = any(one.verb == "start" and one.subject in engines for one in services)
    if leased is None:
        reason = f"boards that make up {stack.device} are chosen at the start"
        return (Step(verb="lease", subject=stack.device, reason=reason),)
    subject = ", ".join(leased.boards)
    if not starts:
        return (Step(verb="skip", subject=subject, reason="the stack has these boards"),)
    nodes = ", ".join(leased.nodes)
    lease = Step(verb="lease", subject=subject, reason=f"nobody has them; now at {nodes}")
    if not leased.dirty:
        return (lease,)
    why = "; ".join(leased.dirty)
    return (Step(verb="reset", subject=subject, reason=f"with consent: {why}"), lease)
