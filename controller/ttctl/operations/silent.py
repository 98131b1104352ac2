# SPDX-License-Identifier: Apache-2.0
"""What is to be said of a stack that did not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError

if TYPE_CHECKING:
    from ttctl.model.protocols import World


def silent(world: World, stack: str, exc: EngineError) -> EngineError:
    """Return the refusal of a stack that did not answer, with what to do about this one."""
    if any(one.health == "starting" for one in world.engine.containers(stack)):
        return EngineError(
            f"The stack {stack!r} is still starting.",
            why=f"{exc.message} {exc.why}".strip(),
            evidence=exc.evidence,
            next_step=f"ttctl wait {stack}",
        )
    if exc.next_step in {"ttctl status", "ttctl logs --tail 50"}:
        verb, *rest = exc.next_step.split()[1:]
        exc.next_step = " ".join(["ttctl", verb, stack, *rest])
    return exc
