# SPDX-License-Identifier: Apache-2.0
"""Does this host satisfy every pin in use?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, NothingFitsError, TtctlError
from ttctl.model.devices import DevicesCheck
from ttctl.model.match import Wanted
from ttctl.model.spec import Request
from ttctl.operations.choose import match_on
from ttctl.operations.lease import shared
from ttctl.rules.board_names import boards_named
from ttctl.rules.card_health import card_checks
from ttctl.rules.device_health import board_checks, stale_checks, topology_check
from ttctl.rules.find import find
from ttctl.rules.host_demands import demand_checks, demands_of, golden_checks, wanted
from ttctl.rules.leases import lease_of
from ttctl.rules.reset import stale_hugepages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.health import CardVitals, Check
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.devices import Looked


def check(
    world: World,
    looked: Looked,
    models: Sequence[str],
    *,
    asked: Sequence[str] = (),
    replay: bool,
) -> tuple[DevicesCheck, tuple[str, ...]]:
    """Judge the host by the pins of running stacks and of `models`; return notes beside it.

    Args:
        world: Everything outside.
        looked: The machine.
        models: Models that were named.
        asked: Words for the boards that are judged; none for all.
        replay: Whether the cards are a snapshot's: then nothing of this host says how they are.

    Raises:
        UsageError: There is no such model, or no such board.
        BadFileError: The catalog is damaged.
    """
    system = looked.system
    judged = boards_named(system, asked) if asked else system.boards
    stacks, notes = _in_use(world)
    uses = [*_of_stacks(world, stacks), *_of_models(world, system, models)]
    boards = [board for board in judged if board.nodes]
    firmware = _firmware(boards)
    demands = demands_of(uses, driver=system.driver, firmware=firmware)
    golden = world.telemetry.golden()
    checks = (
        *(() if replay else _cards(world, looked, judged)),
        *board_checks(judged),
        *(() if replay else _stale_files(world, system, judged)),
        *demand_checks(demands, driver=system.driver, firmware=firmware),
        *(golden_checks(golden, driver=system.driver, firmware=firmware) if boards else ()),
        topology_check(system),
    )
    found = DevicesCheck(
        device=system.device,
        driver=system.driver,
        firmware=firmware,
        demands=demands,
        driver_wanted=wanted(demands, "driver"),
        firmware_wanted=wanted(demands, "firmware"),
        golden=golden,
        checks=checks,
        passed=not any(one.verdict == "failed" for one in checks),
        topology=system.topology,
    )
    return found, (*notes, *_asking_nothing(uses))


def _cards(world: World, looked: Looked, boards: tuple[Board, ...]) -> tuple[Check, ...]:
    return card_checks(*_only(looked.system, world.vitals.cards(), boards), smi=looked.asked)


def _firmware(boards: Sequence[Board]) -> tuple[str, ...]:
    """Return each version once, in the order of the boards."""
    each = (one for board in boards for one in board.firmware.split(", ") if one)
    return tuple(dict.fromkeys(each))


def _only(
    system: System, cards: CardVitals, boards: tuple[Board, ...]
) -> tuple[System, CardVitals]:
    """Return the machine and its cards with some of the boards alone."""
    if boards == system.boards:
        return system, cards
    nodes = {node for board in boards for node in board.nodes}
    addresses = {address for board in boards for address in board.pci_addresses}
    chips = tuple(chip for chip in system.chips if chip.node in nodes)
    return replace(system, boards=boards, chips=chips), replace(
        cards,
        pci=tuple(one for one in cards.pci if one in addresses),
        nodes=tuple(one for one in cards.nodes if one.node in nodes),
        iommu=tuple(one for one in cards.iommu if one[0] in addresses),
    )


def _stale_files(world: World, system: System, boards: tuple[Board, ...]) -> tuple[Check, ...]:
    """Name what a killed engine left on the hugepages of boards that nobody has."""
    if not system.boards:
        return ()
    try:
        found = shared(world, system)
    except BadFileError:
        # The look at the boards said so.
        return ()
    leases = [lease_of(board.id, found.leases) for board in boards]
    return stale_checks(stale_hugepages(found.claims.hugepages, leases))


def _in_use(world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the stacks that run; where no engine answers, all that have a lock."""
    known_stacks = world.store.stacks()
    if not known_stacks:
        return (), ()
    try:
        running = {one.stack for one in world.engine.containers(None) if one.state == "running"}
    except TtctlError as error:
        why = error.message.rstrip(".")
        return known_stacks, (f"Every stack with a lock counts as running: {why}.",)
    return tuple(stack for stack in known_stacks if stack in running), ()


def _of_stacks(world: World, stacks: Sequence[str]) -> Iterator[tuple[str, ModelSpec]]:
    if not stacks:
        return
    specs = {(spec.model, spec.device): spec for spec in world.catalog.specs()}
    for stack in stacks:
        lock = world.store.lock(stack)
        if lock is not None and (lock.model, lock.device) in specs:
            yield f"stack {stack}", specs[lock.model, lock.device]


def _of_models(
    world: World, system: System, models: Sequence[str]
) -> Iterator[tuple[str, ModelSpec]]:
    """Yield the entry of each named model that would be taken here; all of it where none would."""
    for model in models:
        taken = _taken(world, system, model)
        found = (taken,) if taken else find(world.catalog.specs(), _of_any_device(model)).specs
        for spec in found:
            yield f"--model {model}", spec


def _taken(world: World, system: System, model: str) -> ModelSpec | None:
    """Return what a plan takes on the machine's device, else on a part of it; None for nothing."""
    devices = dict.fromkeys((system.device, *(formed.device for formed in system.forms)))
    for device in filter(None, devices):
        with suppress(NothingFitsError):
            return match_on(world, Request(model=model, device=device), system, device).spec
    return None


def _of_any_device(model: str) -> Wanted:
    return Wanted(word=model, device="")


def _asking_nothing(uses: Sequence[tuple[str, ModelSpec]]) -> tuple[str, ...]:
    """Say which entries leave the versions to the host, so that silence is no missing answer."""
    found = (
        f"{who} is {spec.model} on {spec.device}, which asks for no version."
        for who, spec in uses
        if not spec.requirements
    )
    return tuple(dict.fromkeys(found))
