# SPDX-License-Identifier: Apache-2.0
"""Has this machine what the entry needs, before anything starts? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.match import Finding
from ttctl.rules.advised import gated, known_bad
from ttctl.rules.device_sizes import NEEDS_MESH, SIZES
from ttctl.rules.fit_boards import groups_for, is_another_machine, of_boards, of_health
from ttctl.rules.fit_host import mixed, of_driver, of_rights, of_versions
from ttctl.rules.fit_pages import NOT_LOOKED, Pages, of_pages
from ttctl.rules.node_rights import opener_of
from ttctl.rules.one_chip import nodes_used
from ttctl.rules.stack import render_command
from ttctl.rules.topology import SET_UP, are_enough

if TYPE_CHECKING:
    from ttctl.model.device import Board, System
    from ttctl.model.health import NodeVitals
    from ttctl.model.match import Subject, Verdict
    from ttctl.model.pins import Advice
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.advised import Satisfies
    from ttctl.rules.node_rights import Opener


_ROOM = {
    "memory": "ttctl models ls --fits   # what this machine has room for",
    "disk": "df -h   # XDG_CACHE_HOME names another place for weights",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is looked at. None and 0 mean: not known."""

    system: System
    disk_mib: int = 0
    pages: Pages = NOT_LOOKED
    nodes: tuple[NodeVitals, ...] | None = ()
    """Mode and owner of the device nodes; None where nobody looked."""
    token: bool | None = None
    """Whether a token of the hub is at hand."""


def findings(
    spec: ModelSpec,
    ground: Ground,
    *,
    advice: Advice,
    satisfies: Satisfies,
    boards: tuple[Board, ...] | None = None,
    who: Opener | None = None,
) -> tuple[Finding, ...]:
    """Return each thing that the entry needs, held against the machine.

    Args:
        spec: The entry.
        ground: The machine.
        advice: What is known beyond the entry.
        satisfies: Whether a version satisfies a specifier.
        boards: What it is given; without them, those on which the least is in the way.
        who: Who opens the nodes; without it, the user of the entry's own image.
    """
    found = _hosts(spec)
    if is_another_machine(spec, ground.system):
        here = of_boards(spec, ground.system, advice, ())
        return (*found, *here, *_weights(spec, advice, ground))

    def on(way: tuple[Board, ...]) -> list[Finding]:
        here = [*of_boards(spec, ground.system, advice, way), *of_health(way)]
        here += [*of_versions(spec, ground.system.driver, way, satisfies), *mixed(way)]
        here += of_rights(nodes_used(spec.device, way), ground.nodes, who or _opener(spec))
        return here + _bad(spec, way, advice, satisfies)

    if boards is None:
        groups = groups_for(spec, ground.system, advice) or ((),)
        boards = min(groups, key=lambda way: _in_the_way(on(way)))
    if spec.device in SIZES:
        found += of_driver(ground.system, ground.pages.iommu)
    found += [*on(boards), *_room(spec, ground)]
    if spec.device in SIZES:
        found.append(_pages(spec, ground, boards))
        found += _topology(spec, ground.system)
    return (*found, *_weights(spec, advice, ground))


def _opener(spec: ModelSpec) -> Opener:
    return opener_of(spec.pins.contract if spec.pins else "")


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
    return [_of("hosts", "blocked", text, render_command(spec.model, spec.device))]


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
    tt_metal = spec.pins.tt_metal if spec.pins else ""
    driver = ground.system.driver
    return of_pages(spec.device, boards, ground.pages, tt_metal=tt_metal, driver=driver)


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
