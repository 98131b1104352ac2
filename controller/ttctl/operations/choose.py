# SPDX-License-Identifier: Apache-2.0
"""Which entry serves a request on this machine?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import NoDeviceError, NothingFitsError, SeveralDevicesError, UsageError
from ttctl.model.match import Place, Wanted
from ttctl.model.pins import DERIVED
from ttctl.rules.board_choice import firmware_for
from ttctl.rules.derived import derived_for
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.find import find
from ttctl.rules.host_steps import LOAD_DRIVER
from ttctl.rules.match import match
from ttctl.rules.satisfying import satisfies
from ttctl.rules.served_by import served_by
from ttctl.rules.set_aside import refuse_set_aside

if TYPE_CHECKING:
    from ttctl.model.device import System
    from ttctl.model.match import Match
    from ttctl.model.pins import Gated
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec, Request


def choose(world: World, request: Request) -> Match:
    """Match a request with the catalog on this machine, or on the device that it names.

    Raises:
        NoDeviceError: The machine's cards make up no device that is known.
        UsageError: There is no such model, several devices here serve it, or a script asked for
            what is ambiguous.
        NothingFitsError: Nothing was validated there, or all of it is set aside.
    """
    system = world.host.system()
    devices = devices_for(request, system)
    if len(devices) == 1:
        return match_on(world, request, system, devices[0])
    understood(world, request)
    if not devices:
        raise _no_device(system)
    return _on_one_of(world, request, system, devices)


def match_on(
    world: World, request: Request, system: System, device: str, *, also: tuple[Gated, ...] = ()
) -> Match:
    """Match a request with the catalog on one device of a machine; `also` is gated, too.

    Raises:
        UsageError: There is no such model, or a script asked for what is ambiguous.
        NothingFitsError: Nothing was validated there, or all of it is set aside.
    """
    catalog = world.catalog
    specs = entries_for(world, request)
    refuse_set_aside(specs, catalog.quarantined(), request.model)
    return match(
        specs,
        wanted_by(request, device=device),
        place=place_of(world, system, device),
        advice=replace(catalog.advice(), gated=(*catalog.advice().gated, *also)),
        quarantined=catalog.quarantined(),
        satisfies=satisfies,
    )


def _on_one_of(world: World, request: Request, system: System, devices: tuple[str, ...]) -> Match:
    """Match on the one device of several that serves the request."""
    found: dict[str, Match | UsageError] = {}
    refused: NothingFitsError | None = None
    for device in devices:
        try:
            found[device] = match_on(world, request, system, device)
        except UsageError as error:
            found[device] = error
        except NothingFitsError as error:
            refused = refused or error
    if not found and refused is not None:
        raise refused
    if len(found) > 1:
        raise _several(request, system, tuple(found))
    only = next(iter(found.values()))
    if isinstance(only, UsageError):
        raise only
    return only


def understood(world: World, request: Request) -> None:
    """Refuse a word that means nothing, before anything else is looked at.

    Raises:
        UsageError: There is no such model.
        NothingFitsError: What is called so is not made for the wanted task.
    """
    catalog = world.catalog
    specs = entries_for(world, request)
    refuse_set_aside(specs, catalog.quarantined(), request.model)
    find(specs, wanted_by(request, device=request.device or ""))


def entries_for(world: World, request: Request) -> tuple[ModelSpec, ...]:
    """Return the catalog's entries, those of one engine or implementation where that was asked.

    An engine of ours serves those of another engine on their own tt-metal.

    Raises:
        UsageError: No entry has them.
        NothingFitsError: The model's entries have others.
    """
    wanted = wanted_by(request, device=request.device or "")
    if request.engine in DERIVED:
        return derived_for(world.catalog.specs(), request, wanted)
    return served_by(world.catalog.specs(), request, wanted)


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


def devices_for(request: Request, system: System) -> tuple[str, ...]:
    """Return the devices that a request may be for: the one it names, else the machine's.

    Where the cards are no one device together, each that some of them make up; none where the
    cards are not known. One chip of a larger board has to be asked for.
    """
    if device := request.device or system.device:
        return (device,)
    return tuple(dict.fromkeys(one.device for one in system.forms if not one.part_of))


def _no_device(system: System) -> NoDeviceError:
    return NoDeviceError(
        "The cards of this machine are not known.",
        why=system.reason,
        evidence=", ".join(f"{chip.node} {chip.card_type}" for chip in system.chips),
        next_step="ttctl devices check" if system.driver else LOAD_DRIVER,
    )


def _several(request: Request, system: System, devices: tuple[str, ...]) -> SeveralDevicesError:
    commands = [f"ttctl plan {request.model} --device {device}" for device in devices]
    return SeveralDevicesError(
        f"Several devices of this machine serve {request.model!r}.",
        why=system.reason,
        evidence="\n".join(commands),
        next_step=commands[0],
    )


def place_of(world: World, system: System, device: str) -> Place:
    """Return what of this machine decides between entries for `device`.

    Where no card is here, an entry for cards is for another machine, of which nothing is known.
    """
    elsewhere = device in SIZES and not system.boards and not system.chips
    unseen = elsewhere or system.replayed
    formed = [one.device for one in system.forms]
    whole = {one.device for one in system.forms if not one.part_of}
    # MESH_DEVICE may have named a device that these cards do not make up.
    own = system.device if not formed or system.device in formed else ""
    here = dict.fromkeys(name for name in (own, *formed, "cpu") if name)
    usable = {one.id for one in system.boards if one.free != "held" and one.verdict != "error"}
    others = {*formed} - {device}
    free = {one.device for one in system.forms if usable.issuperset(one.boards)}
    return Place(
        devices=tuple(here),
        held=tuple(name for name in here if name in formed and name not in free),
        memory_mib=0 if elsewhere else system.memory_bytes >> 20,
        disk_mib=0 if unseen else world.host.free_bytes(world.cache) >> 20,
        firmware=firmware_for(device, system),
        firmwares=tuple((one, firmware_for(one, system)) for one in here if one in others),
        driver=system.driver,
        boards=tuple(board.family for board in system.boards),
        parts=tuple(name for name in here if name in formed and name not in whole),
    )
