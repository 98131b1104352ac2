# SPDX-License-Identifier: Apache-2.0
"""What can be had without a token in place of weights that the hub refuses?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.errors import OfflineError, PrivilegeError, TtctlError
from ttctl.model.pins import Gated
from ttctl.model.spec import Weights
from ttctl.operations.choose import match_on

if TYPE_CHECKING:
    from ttctl.model.lock import LockedWeights
    from ttctl.model.match import Match, Offer
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request


def with_ungated(
    world: World, request: Request, found: Match, refused: PrivilegeError
) -> PrivilegeError:
    """Return the refusal with the nearest model that needs no token, where there is one."""
    offer = next((one for one in _offers(world, request, found) if one.kind == "ungated"), None)
    if offer is None:
        return refused
    return PrivilegeError(
        refused.message,
        why=refused.why,
        evidence=f"{refused.evidence} Without a token: {offer.model} ({offer.reason}): "
        f"{offer.command}",
        next_step=refused.next_step,
    )


def check_access(world: World, weights: LockedWeights) -> None:
    """Find out whether the hub gives locked weights to this user, before anything is built.

    A hub that does not answer says nothing of it: what is to be fetched may lie elsewhere.

    Raises:
        PrivilegeError: It does not.
    """
    if weights.kind != "hub" or not world.weights.supply(weights).fetched_bytes:
        return
    named = Weights(
        kind="hub",
        repository=weights.repository,
        revision=weights.revision,
        original=weights.original,
    )
    with suppress(OfflineError):
        world.weights.resolve(named, world.site)


def _offers(world: World, request: Request, found: Match) -> tuple[Offer, ...]:
    """Return the offers, looked for anew where nobody had noted that these weights are gated."""
    if any(one.kind == "ungated" for one in found.offers):
        return found.offers
    gate = Gated(
        model=found.spec.weights.repository, reason="the hub refused it", source="", date=""
    )
    with suppress(TtctlError):
        system, device = world.host.system(), found.spec.device
        return match_on(world, request, system, device, also=(gate,)).offers
    return ()
