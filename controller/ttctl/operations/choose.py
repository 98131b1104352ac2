# SPDX-License-Identifier: Apache-2.0
"""Which entry serves a request on this machine, and has the machine what it needs?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import NoDeviceError, TtctlError
from ttctl.model.match import Place, Wanted
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.find import find
from ttctl.rules.fitness import Ground, findings
from ttctl.rules.match import match
from ttctl.rules.satisfying import satisfies
from ttctl.rules.set_aside import refuse_set_aside
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from ttctl.model.device import System
    from ttctl.model.match import Finding, Match
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec, Request


def choose(world: World, request: Request) -> Match:
    """Match a request with the catalog on this machine, or on the device that it names.

    Raises:
        NoDeviceError: The machine's cards make up no device that is known.
        UsageError: There is no such model, or a script asked for what is ambiguous.
        NothingFitsError: Nothing was validated there, or all of it is set aside.
    """
    system = world.host.system()
    device = device_for(request, system)
    catalog = world.catalog
    refuse_set_aside(catalog.specs(), catalog.quarantined(), request.model)
    return match(
        catalog.specs(),
        wanted_by(request, device=device),
        place=place_of(world, system, device),
        advice=catalog.advice(),
        quarantined=catalog.quarantined(),
        satisfies=satisfies,
    )


def understood(world: World, request: Request) -> None:
    """Refuse a word that means nothing, before anything else is looked at.

    Raises:
        UsageError: There is no such model.
        NothingFitsError: What is called so is not made for the wanted task.
    """
    catalog = world.catalog
    refuse_set_aside(catalog.specs(), catalog.quarantined(), request.model)
    find(catalog.specs(), wanted_by(request, device=request.device or ""))


def wanted_by(request: Request, *, device: str) -> Wanted:
    """Return what a request looks for."""
    return Wanted(
        word=request.model,
        device=device,
        task=request.task or "",
        experimental=request.experimental,
        unattended=request.unattended,
        guesses=request.guesses,
    )


def device_for(request: Request, system: System) -> str:
    """Return the device that a request is for: the one it names, else the machine's.

    Raises:
        NoDeviceError: The machine's cards make up no device that is known.
    """
    device = request.device or system.device
    if device:
        return device
    formed = [one.device for one in system.forms]
    raise NoDeviceError(
        "The cards of this machine are not known."
        if not formed
        else "The cards of this machine make up several devices.",
        why=system.reason,
        evidence=", ".join(f"{chip.node} {chip.card_type}" for chip in system.chips),
        next_step=f"ttctl plan {request.model} --device {formed[0]}"
        if formed
        else f"ttctl up {request.model} --device cpu",
    )


def place_of(world: World, system: System, device: str) -> Place:
    """Return what of this machine decides between entries for `device`.

    Where no card is here, an entry for cards is for another machine, of which nothing is known.
    """
    elsewhere = device in SIZES and not system.boards and not system.chips
    formed = [one.device for one in system.forms]
    here = dict.fromkeys(name for name in (system.device, *formed, "cpu") if name)
    firmwares = (*(one.firmware for one in system.boards), *(one.firmware for one in system.chips))
    versions = sorted(set(firmwares) - {""}, key=numbers)
    return Place(
        devices=tuple(here),
        memory_mib=0 if elsewhere else system.memory_bytes >> 20,
        disk_mib=0 if elsewhere else world.host.free_bytes(world.cache) >> 20,
        firmware=versions[0] if versions else "",
        driver=system.driver,
        boards=tuple(board.family for board in system.boards),
    )


def fitness(world: World, spec: ModelSpec) -> tuple[Finding, ...]:
    """Hold what an entry needs against this machine, before anything starts."""
    system = world.host.system()
    ground = Ground(
        system=system,
        disk_mib=world.host.free_bytes(world.cache) >> 20,
        token=world.has_token,
    )
    if system.chips or system.boards:
        cards = world.vitals.cards()
        ground = replace(
            ground,
            hugepages=cards.hugepages,
            hugepages_mounted=cards.hugepages_mounted,
            iommu=tuple(kind for _, kind in cards.iommu),
        )
    return findings(spec, ground, advice=world.catalog.advice(), satisfies=satisfies)


def refuse_prebuilt(spec: ModelSpec, word: str) -> None:
    """Refuse to start what only a prebuilt Tenstorrent image serves.

    Raises:
        TtctlError: The entry has pins.
    """
    if spec.pins is None:
        return
    command = f"ttctl plan {spec.model} --device {spec.device}"
    raise TtctlError(
        f"{spec.model!r} on {spec.device!r} cannot be launched by this version.",
        why="Launching prebuilt Tenstorrent images is not part of it; what was validated is shown.",
        evidence=f"{word!r} is served by {spec.pins.image}.",
        next_step=f"{command} --experimental" if spec.experimental else command,
    )
