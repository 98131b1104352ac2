# SPDX-License-Identifier: Apache-2.0
"""What serves a request that ttctl builds no image for? Asked often, so it loads little."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.plan import Plan
from ttctl.operations.choose import choose, fitness, that_start
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request


def look(world: World, request: Request, *, latest: bool = False) -> Plan | None:
    """Return the match for a model that a prebuilt Tenstorrent image serves, without steps.

    None where ttctl builds the images itself: then `plan` says what `up` would do.

    Args:
        world: Everything outside.
        request: What is asked for.
        latest: Whether the newest release's values are taken, in place of the first validated.
    """
    name = stack_name(request)
    if request.device is None and world.store.summary(name) is not None:
        return None
    found = choose(world, request)
    if found.spec.pins is None:
        return None
    if latest:
        # What no other question needs.
        from ttctl.rules.first_validated import with_latest  # noqa: PLC0415

        # What changed stays with the values, so that it can be shown beside them.
        found = replace(found, spec=replace(with_latest(found.spec), changed=found.spec.changed))
    findings = fitness(world, found.spec)
    if any(one.verdict == "blocked" for one in findings):
        # What is in the way of this one may be in the way of what is offered in its place.
        found = replace(found, offers=that_start(world, found.offers))
    return Plan(stack=name, steps=(), match=found, fitness=findings)
