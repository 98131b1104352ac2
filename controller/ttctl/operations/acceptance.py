# SPDX-License-Identifier: Apache-2.0
"""Try a model on cards from `up` to its speeds, and write what was found, or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, NoDeviceError, TtctlError, UsageError
from ttctl.model.acceptance import Bench, Ran
from ttctl.model.acceptance_kit import Accepted
from ttctl.operations.acceptance_checks import checked_contract, checked_door
from ttctl.operations.acceptance_smoke import smoked
from ttctl.operations.acceptance_tiers import measured_tiers
from ttctl.operations.desire import desire
from ttctl.operations.start import on_free_boards
from ttctl.operations.tls import at_of
from ttctl.operations.up import up
from ttctl.rules.acceptance import overall
from ttctl.rules.acceptance_private import leaks, plain_kernel
from ttctl.rules.acceptance_seen import named_image, why_not_locked
from ttctl.rules.derived import derived_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.acceptance import Looked, TierRun
    from ttctl.model.acceptance_kit import Kit, Place, Seen
    from ttctl.model.device import System
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired

NO_CARD = frozenset({"cpu", "gpu"})


def accept(world: World, kit: Kit, request: Request, *, measure: bool = True) -> Accepted:
    """Bring `request` up on this machine's cards, try it, and keep the signed result.

    Args:
        world: Everything outside.
        kit: What only this needs of it.
        request: The model; its device is the machine's, or one that its boards make up.
        measure: Whether speeds are measured; without, the result says incomplete.

    Raises:
        NoDeviceError: There is no card here, or cards were made up.
        UsageError: The model's entry is not one that was validated on this device.
        BadFileError: The image that runs is not the locked one.
        TtctlError: `up` failed, or the result would have named somebody: no file is written.
    """
    place = kit.place()
    _check_cards(place, world.host.system())
    check_entry(desire(world, request))
    kit.ready()
    brought = up(world, request)
    # The boards that it has now are its own, and kept; what they add to the launch was wanted.
    desired = on_free_boards(world, desire(world, request))
    return examine(world, kit, desired, place, started_s=brought.seconds, measure=measure)


def examine(
    world: World,
    kit: Kit,
    desired: Desired,
    place: Place,
    *,
    started_s: float,
    measure: bool,
) -> Accepted:
    """Try a stack that is up, and keep the signed result.

    Raises:
        BadFileError: The image that runs is not the locked one.
        TtctlError: The result would name somebody: no file is written.
    """
    system = world.host.system()
    shown = _shown(world, kit, desired)
    _check_images(desired, shown)
    client = kit.client(at_of(world, desired.stack.name, desired.lock))
    key = world.keys.key(desired.stack.name)
    looked = [
        *checked_contract(world, desired, shown, system=system),
        *checked_door(world, desired, client, key=key),
        *smoked(world, desired.spec, client, key=key),
    ]
    tiers = measured_tiers(world, desired.spec, client, key=key) if measure else ()
    ran = _ran(
        desired,
        shown,
        looked,
        tiers,
        place=place,
        system=system,
        started_s=started_s,
        release=world.catalog.origin().release,
    )
    _check_private(ran, (*place.private, key, *_serials(system)))
    details = tuple((one.check.name, one.detail) for one in looked if one.detail)
    return Accepted(ran=ran, file=kit.keep(ran), details=details)


def _check_cards(place: Place, system: System) -> None:
    if place.device_root != "/":
        raise NoDeviceError(
            "The cards that are looked at were made up.",
            why="A result is about cards of this machine; device.root names another tree.",
            evidence=f"device.root is {place.device_root}.",
            next_step="ttctl config show",
        )
    if system.device in NO_CARD or not system.boards:
        raise NoDeviceError(
            "There is no Tenstorrent card in this machine.",
            why="An acceptance run tries a model on cards, and writes nothing without one.",
            evidence=system.evidence or system.reason,
            next_step="ttctl devices ls",
        )


def check_entry(desired: Desired) -> None:
    """Return where what would run is a validated entry, from its pinned commits.

    Raises:
        UsageError: It is not.
    """
    spec = desired.spec
    for image in desired.lock.images:
        if image.unvalidated or image.yours:
            own = "a checkout" if image.unvalidated else "a folder of your own"
            raise UsageError(
                f"The image {image.name!r} is built from {own}.",
                why="A result belongs to pinned commits, which this is not.",
                evidence=(image.unvalidated or image.yours).partition("=")[0],
                next_step=f"ttctl up {desired.lock.requested}",
            )
    tried = desired.lock.experimental or (spec.derived_from and derived_text(spec.derived_from))
    if spec.pins is not None and spec.device not in NO_CARD and not tried:
        return
    raise UsageError(
        f"{spec.model!r} on {spec.device!r} is no validated entry.",
        why="A result belongs to a catalog entry with pins for this machine's device.",
        evidence=tried or f"Found: {spec.id or spec.model}.",
        next_step=f"ttctl models show {spec.model}",
    )


def _shown(world: World, kit: Kit, desired: Desired) -> dict[str, Seen]:
    running = [one for one in world.engine.containers(desired.stack.name) if one.state == "running"]
    return {one.service: kit.seen(one.container_id) for one in running}


def _check_images(desired: Desired, shown: dict[str, Seen]) -> None:
    for service, seen in shown.items():
        if why := why_not_locked(seen, desired.lock):
            raise BadFileError(
                f"The image of {service!r} is not the locked one.",
                why="A result is about the image that the lock names.",
                evidence=why,
                next_step=f"ttctl up {desired.lock.requested} --force-recreate",
            )


def _check_private(ran: Ran, private: Sequence[str]) -> None:
    if found := leaks(ran, private):
        raise TtctlError(
            "The result would name this machine or somebody, and was not written.",
            why="A result is shared: nothing of a place or a person may be in it.",
            evidence="; ".join(found),
            next_step=f"ttctl models show {ran.model}",
        )


def _ran(
    desired: Desired,
    shown: dict[str, Seen],
    looked: Sequence[Looked],
    tiers: Sequence[TierRun],
    *,
    place: Place,
    system: System,
    started_s: float,
    release: str,
) -> Ran:
    spec, pins = desired.spec, desired.spec.pins
    if pins is None:
        raise TypeError(spec.id)
    checks = tuple(one.check for one in looked)
    engine = _engine_of(desired, shown)
    digest, made_from = _image_of(engine)
    return Ran(
        entry=spec.id,
        model=spec.model,
        device=spec.device,
        engine=spec.engine,
        implementation=spec.implementation,
        tt_metal=pins.tt_metal,
        vllm=pins.vllm,
        image=named_image(pins.image, engine),
        image_digest=digest,
        image_fingerprint=made_from,
        contract=desired.stack.contract,
        catalog=release,
        catalog_sha256=desired.lock.catalog_sha256,
        build=place.build,
        bench=_bench(system, place),
        checks=checks,
        tiers=tuple(tiers),
        started_s=started_s,
        date=place.today,
        verdict=overall(checks, tiers, targets=spec.targets),
    )


def _engine_of(desired: Desired, shown: dict[str, Seen]) -> Seen | None:
    return shown.get(desired.stack.engine.name)


def _image_of(engine: Seen | None) -> tuple[str, str]:
    """Return the digest of a pulled engine's image, or the fingerprint of a built one."""
    if engine is None or engine.fingerprint:
        return "", engine.fingerprint if engine else ""
    # The last one is the image's own id, which no registry knows.
    pulled = (engine.image.partition("@")[2], *engine.digests[:-1])
    return next((one for one in pulled if one), ""), ""


def _bench(system: System, place: Place) -> Bench:
    families = [one.family or "unknown" for one in system.boards]
    return Bench(
        device=system.device,
        boards=tuple((one, families.count(one)) for one in sorted(set(families))),
        driver=system.driver,
        firmware=tuple(sorted({one.firmware for one in system.boards if one.firmware})),
        kernel=plain_kernel(place.kernel),
    )


def _serials(system: System) -> tuple[str, ...]:
    boards = [text for one in system.boards for text in (one.id, *one.asic_ids, *one.pci_addresses)]
    chips = [text for one in system.chips for text in (one.serial, one.asic_id, one.pci_address)]
    # A number is written with and without its 0x.
    plain = [one.lower().removeprefix("0x") for one in (*boards, *chips)]
    return tuple(dict.fromkeys((*boards, *chips, *plain)))
