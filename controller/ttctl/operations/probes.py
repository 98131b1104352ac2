# SPDX-License-Identifier: Apache-2.0
"""Look at one part of the machine or the place, and judge it. What breaks is caught elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.health import Check
from ttctl.rules.card_health import card_checks
from ttctl.rules.engine_health import engine_checks
from ttctl.rules.machine_health import clock_checks, memory_check, port_check, processor_checks
from ttctl.rules.pull_room import BUILD_BYTES, OTHER_BUILD_BYTES
from ttctl.rules.site_health import (
    addresses_check,
    ca_check,
    offline_check,
    reach_check,
    settings_check,
    unasked_check,
)
from ttctl.rules.space_health import (
    cache_check,
    inodes_check,
    room_check,
    state_check,
    strays_check,
)
from ttctl.rules.stack import BIND, DEFAULT_PORT

if TYPE_CHECKING:
    from ttctl.model.health import Destination, Group
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.subject import Subject

Checks = tuple[Check, ...]
LAST_PORT = 65536


def engine(subject: Subject) -> Checks:
    """Judge the engine."""
    return engine_checks(subject.engine)


def images_room(subject: Subject) -> Checks:
    """Judge the room for images."""
    found = subject.engine
    if not found.answers or not found.is_here:
        reason = "no engine answers" if not found.answers else f"it is at {found.endpoint}"
        return (_skipped("images", "Space", f"not seen from here: {reason}"),)
    missing = subject.missing_images
    needed = sum(BUILD_BYTES.get(name, OTHER_BUILD_BYTES) for name in missing)
    room = room_check(
        "images",
        found.root_dir,
        free=subject.world.host.free_bytes(Path(found.root_dir)),
        needed=needed,
        what=f"image{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
        fix="docker system df && docker builder prune",
    )
    return room, inodes_check(found.root_dir, found.root_inodes)


def weights_room(subject: Subject) -> Checks:
    """Judge the room for weights."""
    world = subject.world
    cache = world.cache
    locked = [lock.weights for lock in subject.locks]
    missing = [one for one in locked if not world.weights.is_complete(one)]
    if locked:
        needed = sum(file.size_bytes for one in missing for file in one.files)
        what = "weights of " + ", ".join(one.repository for one in missing)
    else:
        spec = subject.model
        needed = spec.weights.size_bytes if spec and spec.weights.kind == "hub" else 0
        what = f"weights of {spec.model}" if spec else "weights of a model"
    check = room_check(
        "weights",
        str(cache),
        free=world.host.free_bytes(cache),
        needed=needed,
        what=what,
        fix=f"du -sh {quote(str(cache))}/weights/*",
    )
    return (check,)


def folders(subject: Subject) -> Checks:
    """Judge ttctl's own folders."""
    found = subject.world.vitals.folders()
    return (
        state_check(found.state),
        cache_check(found.cache),
        strays_check(found.state, found.cache),
    )


def machine(subject: Subject) -> Checks:
    """Judge memory and processor."""
    system = subject.world.host.system()
    own_image = subject.site.engine_image is not None
    return (_memory(subject), *processor_checks(system, own_image=own_image))


def _memory(subject: Subject) -> Check:
    system = subject.world.host.system()
    specs = subject.world.catalog.specs()
    here = [spec for spec in specs if spec.device == system.device]
    names = {(lock.model, lock.device) for lock in subject.locks}
    wanted = [spec for spec in specs if (spec.model, spec.device) in names]
    default = subject.model
    wanted = wanted or ([default] if default else [])
    largest = max(wanted, key=lambda spec: spec.memory_mib, default=None)
    return memory_check(
        system,
        least_mib=min((spec.memory_mib for spec in here), default=0),
        wanted_mib=largest.memory_mib if largest else 0,
        model=largest.model if largest else "",
    )


def ports(subject: Subject) -> Checks:
    """Judge the stacks' ports, or the default one where there is no stack."""
    wanted = {lock.port: lock.stack for lock in subject.locks} or {DEFAULT_PORT: ""}
    return tuple(_port(subject, port, stack) for port, stack in sorted(wanted.items()))


def _port(subject: Subject, port: int, stack: str) -> Check:
    host = subject.world.host
    holder = host.port_holder(BIND, port)
    seen = subject.containers if holder else ()
    theirs = [one for one in seen if any(port == bound for _, bound, _ in one.ports)]
    ours = False
    if theirs:
        mine = theirs[0].owner == subject.world.store.owner()
        ours = mine and theirs[0].stack == (stack or theirs[0].stack)
        holder = f"the stack {theirs[0].stack}{'' if mine else ' of another user'}"
        stack = theirs[0].stack if ours else stack
    free = next((one for one in range(port + 1, LAST_PORT) if not host.port_holder(BIND, one)), 0)
    return port_check(port, stack=stack, holder=holder, ours=ours, free=free)


def clock(subject: Subject) -> Checks:
    """Judge the clock."""
    return clock_checks(subject.place)


def settings(subject: Subject) -> Checks:
    """Judge whether the settings can be read; an unreadable file is the caller's to tell."""
    return settings_check(subject.world.site), ca_check(subject.site, subject.place)


def addresses(subject: Subject) -> tuple[Destination, ...]:
    """Return where this place goes, nothing where nothing may be asked."""
    return () if subject.site.is_offline else subject.place.destinations


def no_addresses(subject: Subject) -> Checks:
    """Say why addresses are not asked, where they are not."""
    if subject.place.refusal:
        return (addresses_check(subject.place),)
    if subject.site.is_offline:
        return (offline_check(subject.site, subject.place.destinations),)
    return ()


def reach(subject: Subject, one: Destination) -> Checks:
    """Ask one address; a proxy directly, everything else as the site says."""
    site = subject.site
    if subject.place.ca_error and one.url.startswith("https:"):
        return (unasked_check(one),)
    if one.path:
        reason = "" if one.here else "the folder is not there"
    elif one.use == "proxy":
        direct = replace(site, http_proxy=None, https_proxy=None)
        reason = subject.world.host.why_not(one.url, direct)
    else:
        reason = subject.world.host.why_not(one.url, site)
    has_wheels = any(house.path and house.here for house in subject.place.destinations)
    building = bool(subject.missing_images) if reason and one.use == "build" else False
    return (reach_check(one, reason=reason, building=building, has_wheels=has_wheels),)


def cards(subject: Subject) -> Checks:
    """Judge the cards. Not yet run on a card."""
    world = subject.world
    system = world.host.system()
    # It is not asked here: this look is a quick one.
    kept = world.telemetry.kept() if system.boards else None
    return card_checks(system, world.vitals.cards(), _entries(subject, system.device), smi=kept)


def _entries(subject: Subject, device: str) -> tuple[ModelSpec, ...]:
    """Return the entry that was named, else all for a device; a damaged catalog is told elsewhere.

    Without a card nothing is asked of a driver, and the catalog is not even read.
    """
    if subject.named is not None:
        return (subject.named,)
    if device in {"", "cpu"}:
        return ()
    try:
        return subject.world.catalog.specs()
    except TtctlError:
        return ()


def _skipped(name: str, group: Group, summary: str) -> Check:
    return Check(name=name, group=group, verdict="skipped", summary=summary)
