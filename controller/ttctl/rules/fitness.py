# SPDX-License-Identifier: Apache-2.0
"""Has this machine what the entry needs, before anything starts? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.match import Finding
from ttctl.rules.advised import fallback, gated, known_bad
from ttctl.rules.board_choice import ways
from ttctl.rules.device_sizes import NEEDS_MESH, SIZES
from ttctl.rules.fit_host import mixed, of_driver, of_pages, of_rights, of_versions
from ttctl.rules.host_steps import show_holders
from ttctl.rules.topology import SET_UP, are_enough

if TYPE_CHECKING:
    from ttctl.model.device import Board, System
    from ttctl.model.match import Subject, Verdict
    from ttctl.model.pins import Advice
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.advised import Satisfies


_ROOM = {
    "memory": "ttctl models ls --fits   # what this machine has room for",
    "disk": "df -h   # XDG_CACHE_HOME names another place for weights",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is looked at. None and 0 mean: not known."""

    system: System
    disk_mib: int = 0
    hugepages: int | None = None
    """Pages of 1 GiB; None where nobody looked."""
    hugepages_mounted: bool = False
    iommu: tuple[str, ...] = ()
    """Kind of each card's IOMMU group."""
    closed: tuple[str, ...] | None = ()
    """Device nodes that a container's user may not open; None where nobody looked."""
    token: bool | None = None
    """Whether a token of the hub is at hand."""


def findings(
    spec: ModelSpec,
    ground: Ground,
    *,
    advice: Advice,
    satisfies: Satisfies,
    boards: tuple[Board, ...] | None = None,
) -> tuple[Finding, ...]:
    """Return each thing that the entry needs, held against the machine.

    Args:
        spec: The entry.
        ground: The machine.
        advice: What is known beyond the entry.
        satisfies: Whether a version satisfies a specifier.
        boards: What it is given; without them, those on which the least is in the way.
    """
    found = _hosts(spec)
    if _is_another_machine(spec, ground):
        return (*found, *_boards(spec, ground, advice, ()), *_weights(spec, advice, ground))

    def on(way: tuple[Board, ...]) -> list[Finding]:
        here = [*_boards(spec, ground, advice, way), *_health(way)]
        here += [*of_versions(spec, ground.system.driver, way, satisfies), *mixed(way)]
        here += of_rights(way, ground.closed)
        return here + _bad(spec, way, advice, satisfies)

    if boards is None:
        groups = ways(_stands_for(spec, ground, advice), ground.system) or ((),)
        boards = min(groups, key=lambda way: _in_the_way(on(way)))
    if spec.device in SIZES:
        found += of_driver(ground.system, ground.iommu)
    found += [*on(boards), *_room(spec, ground)]
    if spec.device in SIZES:
        found.append(_pages(spec, ground, boards))
        found += _topology(spec, ground.system)
    return (*found, *_weights(spec, advice, ground))


def lacks_device(found: tuple[Finding, ...]) -> bool:
    """Return whether the device itself is not here."""
    return any(one.subject == "boards" and one.verdict == "blocked" for one in found)


def _is_another_machine(spec: ModelSpec, ground: Ground) -> bool:
    """Whether the entry is for cards and none is here: then nothing of this host says anything."""
    return spec.device in SIZES and not ground.system.chips and not ground.system.boards


def _stands_for(spec: ModelSpec, ground: Ground, advice: Advice) -> str:
    """Return the device whose boards are taken: the entry's, or the one that it falls back on."""
    system = ground.system
    if ways(spec.device, system) or fallback(spec, advice, here=system.device) is None:
        return spec.device
    return system.device


def _in_the_way(found: list[Finding]) -> tuple[int, ...]:
    verdicts = [one.verdict for one in found]
    return tuple(verdicts.count(one) for one in ("blocked", "warning", "unknown"))


def _hosts(spec: ModelSpec) -> list[Finding]:
    size = SIZES.get(spec.device)
    if spec.device == "gpu":
        return [_of("hosts", "blocked", "it is for a GPU; ttctl lists it and does not serve it")]
    if size is None or size.hosts == 1:
        return []
    text = f"it spans {size.hosts} hosts; ttctl serves on one host only"
    return [_of("hosts", "blocked", text)]


def _boards(
    spec: ModelSpec, ground: Ground, advice: Advice, boards: tuple[Board, ...]
) -> list[Finding]:
    system = ground.system
    if spec.device not in SIZES or SIZES[spec.device].hosts > 1:
        return []
    if _is_another_machine(spec, ground):
        text = f"no card is in this machine: what a machine with {spec.device} has is not known"
        return [_of("boards", "unknown", text)]
    if any(one.device == spec.device for one in system.forms):
        return [_free(spec, boards)]
    if system.device == spec.device and not system.forms:
        return [_of("boards", "ok", f"this machine is {spec.device}: {system.reason}")]
    if (known := fallback(spec, advice, here=system.device)) is not None:
        return [_of("boards", "warning", f"fallback of {system.device}: {known.reason}")]
    forms = ", ".join(dict.fromkeys(one.device for one in system.forms))
    text = f"this machine is no {spec.device}; it is: {forms or system.device or 'of unknown kind'}"
    if system.evidence and not system.device:
        text = f"{text}; {system.evidence}"
    return [_of("boards", "blocked", text, "ttctl devices ls")]


def _free(spec: ModelSpec, boards: tuple[Board, ...]) -> Finding:
    held = [one for one in boards if one.free == "held"]
    unseen = [one for one in boards if one.free == "unknown"]
    names = ", ".join(one.id for one in boards)
    if held:
        who = "; ".join(f"{one.id}: {', '.join(one.holders) or 'a process'}" for one in held)
        step = show_holders(name for one in held for name in one.holders)
        return _of("boards", "blocked", f"in use: {who}", step)
    if unseen:
        who = ", ".join(one.id for one in unseen)
        step = f"sudo fuser -v {' '.join(node for one in unseen for node in one.nodes)}"
        return _of("boards", "warning", f"not known whether they are free: {who}", step)
    some = f"boards {names}, all free" if len(boards) > 1 else f"board {names}, which is free"
    return _of("boards", "ok", f"{spec.device} from {some}")


def _health(boards: tuple[Board, ...]) -> list[Finding]:
    verdicts: dict[str, Verdict] = {"error": "blocked", "warning": "warning"}
    return [
        _of(
            "health",
            verdicts[one.verdict],
            f"board {one.id}: {', '.join(one.reasons) or one.verdict}",
            "ttctl devices info",
        )
        for one in boards
        if one.verdict in verdicts
    ]


def _bad(
    spec: ModelSpec, boards: tuple[Board, ...], advice: Advice, satisfies: Satisfies
) -> list[Finding]:
    firmware = next((one.firmware for one in boards if one.firmware), "")
    bad = known_bad(spec, advice, firmware=firmware, satisfies=satisfies)
    if bad is None:
        return []
    return [_of("known-bad", "warning", f"{bad.reason} ({bad.source}, {bad.date})")]


def _room(spec: ModelSpec, ground: Ground) -> list[Finding]:
    here = ground.system.memory_bytes >> 20
    short: Verdict = "blocked" if spec.pins is not None else "warning"
    found = []
    asked: tuple[tuple[Subject, int, int], ...] = (
        ("memory", spec.memory_mib, here),
        ("disk", spec.disk_mib, ground.disk_mib),
    )
    for name, needed, have in asked:
        if not needed:
            continue
        here_too = f"{have / 1024:.1f} GiB are here" if have else "what is here is not known"
        text = f"{needed / 1024:.1f} GiB of {name} are needed, {here_too}"
        verdict: Verdict = "unknown" if not have else "ok" if have >= needed else short
        found.append(_of(name, verdict, text, _ROOM[name] if verdict == short else ""))
    return found


def _pages(spec: ModelSpec, ground: Ground, boards: tuple[Board, ...]) -> Finding:
    return of_pages(
        spec.device,
        boards,
        iommu=ground.iommu,
        hugepages=ground.hugepages,
        mounted=ground.hugepages_mounted,
    )


def _topology(spec: ModelSpec, system: System) -> list[Finding]:
    if spec.device not in NEEDS_MESH or not are_enough(system.boards, spec.device):
        return []
    found = system.topology
    if found is None or found.kind == "unknown":
        why = f": {found.reason}" if found else ""
        text = f"{spec.device} must be set up as one mesh; whether it is, is not known{why}"
        return [_of("topology", "unknown", text, "ttctl devices check")]
    text = f"{spec.device} must be set up as one mesh; it is: {found.kind} ({found.reason})"
    if found.kind == "mesh":
        return [_of("topology", "ok", text)]
    return [_of("topology", "blocked", text, SET_UP)]


def _weights(spec: ModelSpec, advice: Advice, ground: Ground) -> list[Finding]:
    gate = gated(spec, advice)
    if gate is None:
        return []
    repository = spec.weights.repository
    if ground.token:
        text = f"{repository} is gated: {gate.reason}; a token is set"
        return [_of("weights", "ok", text)]
    text = f"{repository} is gated: {gate.reason}; no token was found"
    if ground.token is None:
        text = f"{repository} is gated: {gate.reason}"
    return [_of("weights", "warning", text, _login(repository))]


def _login(repository: str) -> str:
    return f"hf auth login   # after accepting the terms of {repository} on the hub"


def _of(subject: Subject, verdict: Verdict, summary: str, next_step: str = "") -> Finding:
    return Finding(subject=subject, verdict=verdict, summary=summary, next_step=next_step)
