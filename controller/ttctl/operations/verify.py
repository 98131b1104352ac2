# SPDX-License-Identifier: Apache-2.0
"""Try a stack that is up for two minutes: what it can do, and how fast it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.model.verified import Tried, Verified
from ttctl.operations.acceptance_smoke import SMOKE_S, smoked
from ttctl.operations.acceptance_tiers import first_tier
from ttctl.rules.locked_entry import locked_entry
from ttctl.rules.tool_trial import NAME, calls_tools, judged_call, tool_question

if TYPE_CHECKING:
    from ttctl.model.acceptance_kit import Client
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec

LEAST_S = 10.0
"""With less time left, no speed is measured."""


def verify(world: World, stack: str, client: Client) -> Verified:
    """Ask a stack's own engine all that is known to be asked of its kind, within two minutes.

    Args:
        world: Everything outside.
        stack: One that is up.
        client: Asks its gateway.

    Raises:
        EngineError: It has no lock, or its entry is in no catalog any more.
    """
    lock = world.store.lock(stack)
    spec = locked_entry(world.catalog.specs(), lock) if lock else None
    if spec is None:
        raise EngineError(
            f"The stack {stack!r} cannot be verified.",
            why="What can be asked of its model, its catalog entry says, and none is known.",
            evidence=f"{lock.model} on {lock.device}" if lock else str(world.store.folder(stack)),
            next_step=f"ttctl diff {stack}",
        )
    key, ends = world.keys.key(stack), world.clock.now() + SMOKE_S
    looked = tuple(
        Tried(
            name=one.check.name,
            outcome=one.check.outcome,
            seconds=one.check.seconds,
            why=one.detail,
        )
        for one in smoked(world, spec, client, key=key)
    )
    if calls_tools(spec):
        looked = (*looked, _called(world, spec, client, key=key, ends=ends))
    if not spec.targets:
        return Verified(looked=looked, mind="its entry names no speed")
    left_s = ends - world.clock.now()
    if left_s < LEAST_S:
        return Verified(looked=looked, mind=f"the {SMOKE_S:.0f} s were over")
    tier = first_tier(world, spec, client, key=key, limit_s=left_s)
    if tier is None:
        return Verified(looked=looked, mind="nothing is known to measure its speed by")
    return Verified(looked=looked, tiers=(tier,))


def _called(world: World, spec: ModelSpec, client: Client, *, key: str, ends: float) -> Tried:
    left_s = ends - world.clock.now()
    if left_s < 1:
        why = f"the {SMOKE_S:.0f} s were over"
        return Tried(name=NAME, outcome="skipped", seconds=0, why=why)
    answer = client.ask(tool_question(spec), key=key, limit_s=left_s)
    outcome, why = judged_call(answer)
    return Tried(name=NAME, outcome=outcome, seconds=answer.seconds, why=why)
