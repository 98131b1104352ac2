# SPDX-License-Identifier: Apache-2.0
"""Can these models share this machine?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.operations.choose import entries_for, place_of, wanted_by
from ttctl.operations.judge import shared_ground
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.fitness import Ground, findings
from ttctl.rules.imagined import absent_text, imagined, is_imagined
from ttctl.rules.match import match
from ttctl.rules.pack import Candidate, pack
from ttctl.rules.satisfying import satisfies
from ttctl.rules.set_aside import refuse_set_aside

if TYPE_CHECKING:
    from ttctl.model.device import System
    from ttctl.model.match import Match, Packing, Place
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec, Request


def packing(world: World, requests: tuple[Request, ...]) -> Packing:
    """Place the models of several requests on the machine's boards, or say what is in the way.

    Of a device that is named and is not here, the boards are those that it would have. One that
    is a part of this machine narrows the choice to such parts.

    Raises:
        UsageError: There is no such model, or a script asked for what is ambiguous.
        NothingFitsError: A model was validated on nothing that the boards can make up, or is
            served by another engine than the one that was asked for.
    """
    ground, absent = shared_ground(world), ""
    named = next((one.device for one in requests if one.device), None)
    if named and is_imagined(named, ground.system):
        ground, absent = Ground(system=imagined(named), token=world.has_token), absent_text(named)
    # Several share the boards of what is named; one alone gets it whole.
    asked = (named or "") if len(requests) == 1 else ""
    candidates = tuple(_candidate(world, request, ground.system, asked) for request in requests)
    found = _placed(world, candidates, ground)
    if not found.fits and (held := [one.id for one in ground.system.boards if one.free == "held"]):
        fits = _placed(world, candidates, _with_all_free(ground)).fits
        found = replace(found, held=tuple(held) if fits else ())
    return replace(found, unknown=(absent, *found.unknown)) if absent else found


def _placed(world: World, candidates: tuple[Candidate, ...], ground: Ground) -> Packing:
    judge = partial(findings, ground=ground, advice=world.catalog.advice(), satisfies=satisfies)
    return pack(candidates, ground, lambda spec, boards: judge(spec, boards=boards))


def _with_all_free(ground: Ground) -> Ground:
    boards = tuple(replace(one, free="free", holders=()) for one in ground.system.boards)
    return replace(ground, system=replace(ground.system, boards=boards))


def _candidate(world: World, request: Request, system: System, asked: str) -> Candidate:
    """Match a request on every device that the boards can make up, alone or in part."""
    specs = entries_for(world, request)
    refuse_set_aside(specs, world.catalog.quarantined(), request.model)
    found: list[Match] = []
    refused: NothingFitsError | None = None
    for device in _devices(system, request):
        try:
            found.append(_on(world, request, specs, device, system))
        except NothingFitsError as error:
            refused = refused or error
    if not found and refused is not None:
        raise refused
    return Candidate(
        word=request.model,
        specs=tuple(one.spec for one in found),
        asked=asked,
        minds=tuple((one.spec.device, one.warnings) for one in found),
    )


def _devices(system: System, request: Request) -> tuple[str, ...]:
    if request.device is not None and request.device != system.device:
        return (request.device,)
    whole = (one for one in system.forms if not one.part_of)
    formed = [one.device for one in whole if one.device in SIZES]
    return tuple(dict.fromkeys([*formed, system.device or "cpu", "cpu"]))


def _on(
    world: World, request: Request, specs: tuple[ModelSpec, ...], device: str, system: System
) -> Match:
    catalog = world.catalog
    return match(
        specs,
        wanted_by(replace(request, device=device), device=device),
        place=_place(world, system, device),
        advice=catalog.advice(),
        quarantined=catalog.quarantined(),
        satisfies=satisfies,
    )


def _place(world: World, system: System, device: str) -> Place:
    """Return what decides between entries; of a machine that is not here no disk is known."""
    place = place_of(world, system, device)
    return place if system.memory_bytes else replace(place, disk_mib=0)
