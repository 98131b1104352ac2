# SPDX-License-Identifier: Apache-2.0
"""Why is this entry not the answer? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.match import NearMiss
from ttctl.model.spec import STATUSES
from ttctl.rules.advised import gated, known_bad
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.one_chip import why_whole

if TYPE_CHECKING:
    from ttctl.model.match import Miss, Place, Wanted
    from ttctl.model.pins import Advice, KnownBad, Quarantined
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.advised import Satisfies
    from ttctl.rules.find import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One search: what there is, what is wanted, where."""

    specs: tuple[ModelSpec, ...]
    found: Found
    wanted: Wanted
    place: Place
    advice: Advice
    quarantined: tuple[Quarantined, ...]
    satisfies: Satisfies

    def bad(self, spec: ModelSpec) -> KnownBad | None:
        """Return why an entry is known not to work here."""
        firmware = self.place.firmware_on(spec.device)
        return known_bad(spec, self.advice, firmware=firmware, satisfies=self.satisfies)


def around(look: Look, chosen: ModelSpec) -> tuple[NearMiss, ...]:
    """Return why each other entry that the word means is not the answer, in a fixed order."""
    found = (
        _why_not(look, spec, chosen)
        for spec in sorted(look.found.specs, key=in_order)
        if spec.device != chosen.device or spec.model != chosen.model
    )
    # Two engines that lack the same are one miss: neither names its engine.
    return tuple(dict.fromkeys(one for one in found if one is not None))


def misses(look: Look) -> tuple[NearMiss, ...]:
    """Return the same where nothing is the answer, with what was set aside as harmful."""
    word = look.wanted.word.lower().rpartition("/")[2]
    set_aside = tuple(
        NearMiss(model=one.id, device="", kind="quarantined", reason=one.reason)
        for one in sorted(look.quarantined, key=lambda one: one.id)
        if word and word in one.id.lower()
    )
    found = [_why_not(look, spec, None) for spec in sorted(look.found.specs, key=in_order)]
    # First what was meant and is not used: of the others a refusal names only a few.
    return (*set_aside, *dict.fromkeys(one for one in found if one is not None))


def lacks(look: Look, spec: ModelSpec) -> tuple[Miss, str] | None:
    """Return what an entry lacks on this machine, its device apart; None where nothing is known."""
    if bad := look.bad(spec):
        return "known-bad", f"{bad.reason} ({bad.source}, {bad.date})"
    place = look.place
    if spec.device in place.parts and (why := why_whole(spec)):
        return "boards", f"is not started on one chip of a larger board: {why}"
    if place.memory_mib and spec.memory_mib > place.memory_mib:
        return "ram", f"needs {spec.memory_mib} MiB of memory, {place.memory_mib} are here"
    if place.disk_mib and spec.disk_mib > place.disk_mib:
        return "disk", f"needs {spec.disk_mib} MiB of disk, {place.disk_mib} are free"
    for one in spec.requirements:
        version = place.firmware_on(spec.device) if one.what == "firmware" else place.driver
        if one.strict and version and look.satisfies(version, one.specifier) is False:
            return one.what, f"needs {one.what} {one.specifier}, {version} is here"
    return None


def _why_not(look: Look, spec: ModelSpec, chosen: ModelSpec | None) -> NearMiss | None:
    kind, reason = _kind(look, spec, chosen)
    if not kind:
        return None
    return NearMiss(model=spec.model, device=spec.device, kind=kind, reason=reason)


def _kind(look: Look, spec: ModelSpec, chosen: ModelSpec | None) -> tuple[Miss | None, str]:
    if spec.device != look.wanted.device:
        return _of_device(look, spec.device)
    if lack := lacks(look, spec):
        return lack
    gate = gated(spec, look.advice)
    # What stands in the way of the answer too tells nothing against another.
    if gate and (chosen is None or not gated(chosen, look.advice)):
        return "gated", f"its weights need a token: {gate.reason}"
    if chosen is not None and status_of(spec) < status_of(chosen):
        return "status", f"is {spec.status}, {chosen.model} is {chosen.status}"
    return None, ""


def _of_device(look: Look, device: str) -> tuple[Miss, str]:
    size = SIZES.get(device)
    if device in look.place.parts and device not in look.place.held:
        return "device", f"is for {device}, of which one chip of a larger board here may be one"
    if device == "gpu":
        return "gpu", "is for a GPU, which ttctl does not serve"
    if size is None or device in look.place.devices:
        return "device", f"is for {device}, {_which(look.place, device)}"
    if size.hosts > 1:
        return "multihost", f"spans {size.hosts} hosts, and ttctl serves on one"
    here = look.place.boards.count(size.board)
    if 0 < here < size.boards:
        return "boards", f"needs {size.boards} boards {size.board}, {here} are here"
    return "device", f"is for {device}, which this machine is not"


def _which(place: Place, device: str) -> str:
    """Return what of this machine is to be said of a device, one that it has or none of ours."""
    if device in place.held:
        return "whose boards here are in use or not healthy"
    if device == "cpu" or device in place.devices:
        return f"which this machine has too: --device {device}"
    return "which ttctl does not know"


def status_of(spec: ModelSpec) -> int:
    """Return how good a status is, the more the better."""
    return STATUSES.index(spec.status) if spec.status in STATUSES else -1


def in_order(spec: ModelSpec) -> tuple[object, ...]:
    """Return a key that puts entries into one fixed order, small devices first."""
    chips = SIZES[spec.device].chips if spec.device in SIZES else 0
    return (spec.model, chips, spec.device, spec.engine, spec.implementation, spec.id)
