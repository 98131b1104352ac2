# SPDX-License-Identifier: Apache-2.0
"""Has this machine what an entry needs, before anything starts?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, UsageError
from ttctl.operations.ground import ground_of
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.fitness import findings
from ttctl.rules.host_steps import CONTAINER_UID
from ttctl.rules.node_rights import opener_of
from ttctl.rules.satisfying import satisfies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.lease import Leased
    from ttctl.model.match import Finding, Offer
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.desire import Desired
    from ttctl.operations.serving import Serving
    from ttctl.rules.fitness import Ground
    from ttctl.rules.node_rights import Opener


def fitness_of(world: World, desired: Desired) -> tuple[Finding, ...]:
    """Hold what is desired against this machine: on the boards that it gets, as launched.

    Nobody is asked again who has boards that were chosen a moment ago. Of several engines on
    boards each is judged; what is found of all of them is said once.
    """
    beside = dict(desired.serving.beside)
    engines = [(desired.stack.engine.name, desired.spec, desired.serving)]
    engines += [
        (one.service, one.choice.spec, beside[one.service])
        for one in desired.choice.beside
        if one.service in beside
    ]
    leased = desired.terms.leased
    chosen = leased is not None and leased.nodes
    ground = ground_of(world) if chosen else shared_ground(world, stack=desired.stack.name)
    found: dict[Finding, None] = {}
    for service, spec, serving in engines:
        who = _who_opens(serving)
        if leased is not None and leased.nodes:
            boards = _as_chosen(ground.system, leased.of(service))
            each = _found(world, spec, ground, boards=boards, who=who)
        else:
            each = fitness(world, spec, ground, asked=desired.request.boards, who=who)
        found |= dict.fromkeys(each)
    return tuple(found)


def _who_opens(serving: Serving) -> Opener:
    uid = CONTAINER_UID if serving.writer is None else serving.writer
    return opener_of(serving.stack.contract, uid=uid)


def _as_chosen(system: System, leased: Leased) -> tuple[Board, ...]:
    """Return the boards that were chosen: whoever has one of them is the stack itself."""
    return tuple(
        replace(board, free="free", holders=("this stack",) if board.id in leased.own else ())
        for board in system.boards
        if set(board.nodes) & set(leased.nodes)
    )


def fitness(
    world: World,
    spec: ModelSpec,
    ground: Ground,
    *,
    asked: Sequence[str] = (),
    who: Opener | None = None,
) -> tuple[Finding, ...]:
    """Hold what an entry needs against this machine, before anything starts.

    Args:
        world: Everything outside.
        spec: The entry.
        ground: The machine, and who has its boards.
        asked: Words for the very boards that are wanted; none for those that fit best.
        who: Who opens the nodes; without it, the user of the entry's own image.
    """
    if not asked or spec.device not in SIZES or not ground.system.boards:
        return _found(world, spec, ground, boards=None, who=who)
    # What nobody needs who names no board.
    from ttctl.rules.board_names import boards_named  # noqa: PLC0415

    try:
        named = boards_named(ground.system, asked)
    except UsageError as unknown:
        found = _found(world, spec, ground, boards=None, who=who)
        return _without_board(found, unknown)
    return _found(world, spec, ground, boards=named or None, who=who)


def _without_board(found: tuple[Finding, ...], unknown: UsageError) -> tuple[Finding, ...]:
    """Say of a board that is asked for that it is not here; of others nothing is said."""
    parts = (unknown.message, unknown.evidence)
    text = "; ".join(f"{one[:1].lower()}{one[1:].rstrip('.')}" for one in parts)
    return tuple(
        replace(one, verdict="blocked", summary=text, next_step=unknown.next_step)
        if one.subject == "boards"
        else one
        for one in found
        if one.subject != "health"
    )


def _found(
    world: World,
    spec: ModelSpec,
    ground: Ground,
    *,
    boards: tuple[Board, ...] | None,
    who: Opener | None,
) -> tuple[Finding, ...]:
    advice = world.catalog.advice()
    return findings(spec, ground, advice=advice, satisfies=satisfies, boards=boards, who=who)


def shared_ground(world: World, *, stack: str = "") -> Ground:
    """Return what of this machine entries are held against, with whoever has its boards.

    Args:
        world: Everything outside.
        stack: The stack that asks: boards that it has itself are not in its way.
    """
    ground = ground_of(world)
    system = ground.system
    if system.replayed or not system.boards:
        return ground
    # What a machine without boards does not need.
    from ttctl.operations.lease import shared  # noqa: PLC0415
    from ttctl.rules.leases import with_leases  # noqa: PLC0415

    try:
        system = with_leases(system, shared(world, system, stack=stack).leases)
    except BadFileError:
        # A look goes on; what takes boards refuses.
        unknown = (replace(board, free="unknown", holders=()) for board in system.boards)
        system = replace(system, boards=tuple(unknown))
    return replace(ground, system=system)


def that_start(world: World, offers: tuple[Offer, ...], ground: Ground) -> tuple[Offer, ...]:
    """Return the offers that nothing of this machine is in the way of."""
    advice = world.catalog.advice()
    by_name = {(spec.model, spec.device): spec for spec in world.catalog.specs()}
    by_model = {spec.model: spec for spec in world.catalog.specs()}

    def starts(offer: Offer) -> bool:
        known = by_name.get((offer.model, offer.device))
        # What is to be tried has no entry of its own: its boards are judged all the same.
        spec = known or replace(by_model[offer.model], device=offer.device)
        found = findings(spec, ground, advice=advice, satisfies=satisfies)
        return all(one.verdict != "blocked" for one in found)

    return tuple(one for one in offers if starts(one))
