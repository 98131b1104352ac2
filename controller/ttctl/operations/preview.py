# SPDX-License-Identifier: Apache-2.0
"""What serves a request on a card? Asked often, for cards of other machines too: loads little."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.plan import Plan
from ttctl.operations.choose import choose
from ttctl.operations.judge import fitness, shared_ground, that_start
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.limits_asked import refuse_beyond, yours
from ttctl.rules.one_chip import why_whole
from ttctl.rules.resolve import with_settings
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec, Request


def is_elsewhere(world: World, device: str) -> bool:
    """Return whether this machine's boards do not make up a device; the processor is everywhere."""
    return device in SIZES and device not in {one.device for one in world.host.system().forms}


def is_for_another(world: World, found: Plan) -> bool:
    """Return whether a match is for a device that this machine's boards do not make up."""
    if found.match is None:
        return False
    spec = found.match.spec
    return is_elsewhere(world, spec.device) or _is_only_a_part(world, spec)


def _is_only_a_part(world: World, spec: ModelSpec) -> bool:
    """Return whether only one chip of a larger board is here, and that does not do."""
    found = [one for one in world.host.system().forms if one.device == spec.device]
    return all(one.part_of for one in found) and bool(why_whole(spec))


def look(world: World, request: Request, *, latest: bool = False) -> Plan | None:
    """Return the match for a model on a card, without steps; None for the processor, and a lock.

    Args:
        world: Everything outside.
        request: What is asked for.
        latest: Whether the newest release's values are taken, in place of the first validated.

    Raises:
        UsageError: A limit is beyond what was validated, or the engine reads it nowhere.
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
    refuse_beyond(found.spec, request)
    changed = with_settings(found.spec, request)
    found = replace(found, spec=changed, yours=yours(found.spec, changed))
    ground = shared_ground(world, stack=name)
    findings = fitness(world, found.spec, ground, asked=request.boards)
    if any(one.verdict == "blocked" for one in findings):
        # What is in the way of this one may be in the way of what is offered in its place.
        found = replace(found, offers=that_start(world, found.offers, ground))
    return Plan(stack=name, steps=(), match=found, fitness=findings)
