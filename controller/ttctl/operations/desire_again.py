# SPDX-License-Identifier: Apache-2.0
"""The same desire, once more is known of it or one thing of it is another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.spec import Weights
from ttctl.operations.desire import desired_of
from ttctl.operations.tls import wish_of
from ttctl.rules.supply_text import placed

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchHost
    from ttctl.model.lease import Leased
    from ttctl.model.lock import LockedWeights
    from ttctl.model.protocols import World
    from ttctl.operations.choice import Choice
    from ttctl.operations.desire import Desired
    from ttctl.operations.serving import Terms


def with_known_hashes(world: World, desired: Desired) -> Desired:
    """Return `desired` with the hashes that its weights have shown now that they are here.

    A hub tells the hashes of its large files only; those of the others are known after a fetch.
    """
    dotenv = desired.files[".env"][0]
    if all(_is_settled(world, one, dotenv) for one in desired.all_weights):
        return desired
    own = desired.choice
    beside = tuple(replace(one, choice=_settled(world, one.choice)) for one in own.beside)
    choice = replace(_settled(world, own), beside=beside)
    return desired_of(world, desired.request, choice, desired.terms, desired.override)


def _is_settled(world: World, weights: LockedWeights, dotenv: str) -> bool:
    """Return whether all hashes are known, and the folder is rendered with where they lie."""
    place = f"='{world.weights.path(weights)}'"
    return all(file.sha256 for file in weights.files) and place in dotenv


def _settled(world: World, choice: Choice) -> Choice:
    weights = choice.weights
    if not all(file.sha256 for file in weights.files):
        source = Weights(
            kind=weights.kind,
            repository=weights.repository,
            revision=weights.revision,
            original=weights.original,
        )
        weights = world.weights.resolve(source, world.site)
    reason = placed(choice.reason, world.weights.supply(weights))
    return replace(choice, weights=weights, reason=reason)


def on_boards(world: World, desired: Desired, leased: Leased) -> Desired:
    """Return `desired` with the boards that its stack leases, and where they are opened now."""
    return _on(world, desired, replace(desired.terms, leased=leased))


def on_host(world: World, desired: Desired, host: LaunchHost) -> Desired:
    """Return `desired` as it is launched on a machine that is told, without a board."""
    return _on(world, desired, replace(desired.terms, leased=None, host=host))


def on_port(world: World, desired: Desired, port: int) -> Desired:
    """Return `desired` with another port of its gateway."""
    return _on(world, desired, replace(desired.terms, port=port))


def with_certificate(world: World, desired: Desired) -> Desired:
    """Return `desired` with the certificate that was made or copied for it."""
    if not desired.terms.tls.why:
        return desired
    tls = wish_of(world, desired.request, locked=desired.lock, bind=desired.stack.bind)
    return _on(world, desired, replace(desired.terms, tls=tls))


def _on(world: World, desired: Desired, terms: Terms) -> Desired:
    return desired_of(world, desired.request, desired.choice, terms, desired.override)
