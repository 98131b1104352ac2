# SPDX-License-Identifier: Apache-2.0
"""Which steps lead from what is there to what is desired?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.plan import AS_NEEDED
from ttctl.operations.foreign import own_containers
from ttctl.operations.pull_room import pulled_bytes
from ttctl.operations.render_folder import is_unresolved
from ttctl.operations.unanswered import cut_off
from ttctl.rules.reconcile import Observed, Wanted, reconcile

if TYPE_CHECKING:
    from ttctl.model.lock import LockedWeights
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired


def has_weights(world: World, weights: LockedWeights) -> bool:
    """Return whether nothing of the weights has to be fetched."""
    if not weights.revision and weights.kind == "hub":
        # A repository of the hub has a commit once it is asked for; others the image fetches.
        return "/" not in weights.repository
    return world.weights.is_complete(weights)


def plan_for(world: World, desired: Desired, how: How = AS_NEEDED) -> Plan:
    """Look at what is there and return the steps that lead to what is wanted."""
    stack = desired.stack
    containers = own_containers(world, stack.name)
    override = desired.override
    references = {
        desired.base.reference,
        *(image.reference for image in desired.images),
        *(image for _, image in (override.images if override else ())),
    }
    folder = world.store.folder(stack.name)
    files = {path: text for path, (text, _) in desired.files.items()}
    observed = Observed(
        images=frozenset(name for name in references if world.engine.has_image(name)),
        supplies=tuple(
            (one, world.weights.supply(one))
            for one in desired.all_weights
            if not is_unresolved(one)
        ),
        weights=frozenset(one for one in desired.all_weights if has_weights(world, one)),
        has_key=world.keys.has_key(stack.name),
        folder_matches=world.folders.read_folder(folder) == files,
        owner=world.store.owner(),
        containers=containers,
        cut_off=tuple(one.service for one in cut_off(world, containers)),
        leased=desired.terms.leased,
    )
    wanted = Wanted(
        stack=stack,
        images=desired.images,
        base=desired.base,
        weights=desired.all_weights,
        override=override,
        tls=desired.terms.tls,
    )
    made = reconcile(wanted, observed, how=how)
    return replace(made, pull_bytes=pulled_bytes(world, desired, made))
