# SPDX-License-Identifier: Apache-2.0
"""Are there boards for an entry, free and well? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.match import Finding
from ttctl.rules.advised import fallback
from ttctl.rules.board_choice import makes_up, ways
from ttctl.rules.board_steps import BOTH
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.host_steps import show_holders
from ttctl.rules.one_chip import part_of, why_whole

if TYPE_CHECKING:
    from ttctl.model.device import Board, System
    from ttctl.model.match import Subject, Verdict
    from ttctl.model.pins import Advice
    from ttctl.model.spec import ModelSpec

Way = tuple["Board", ...]


def groups_for(spec: ModelSpec, system: System, advice: Advice) -> tuple[Way, ...]:
    """Return the groups of boards that an entry may get, whole ones first; none where none may.

    They are those of the entry's device, or of the one that it falls back on.
    """
    own = ways(spec.device, system)
    if not own and fallback(spec, advice, here=system.device) is not None:
        return ways(system.device, system)
    whole = why_whole(spec)
    able = [way for way in own if not (whole and part_of(spec.device, way))]
    return tuple(sorted(able, key=lambda way: bool(part_of(spec.device, way))))


def is_another_machine(spec: ModelSpec, system: System) -> bool:
    """Whether the entry is for cards and none is here: then nothing of this host says anything."""
    return spec.device in SIZES and not system.chips and not system.boards


def of_boards(
    spec: ModelSpec, system: System, advice: Advice, boards: tuple[Board, ...]
) -> list[Finding]:
    """Return whether there are boards for an entry, and whether those that it gets are free."""
    if spec.device not in SIZES or SIZES[spec.device].hosts > 1:
        return []
    if is_another_machine(spec, system):
        text = f"no card is in this machine: what a machine with {spec.device} has is not known"
        return [_of("boards", "unknown", text)]
    way = boards or next(iter(ways(spec.device, system)), ())
    if (family := part_of(spec.device, way)) and (why := why_whole(spec)):
        text = f"only one chip of {family} is here for it, and {why}"
        return [_of("boards", "blocked", text, "ttctl devices ls")]
    if boards and system.forms and not makes_up(spec.device, boards, system):
        return [_not_formed(spec, system, advice, boards)]
    if any(one.device == spec.device for one in system.forms):
        return [_free(spec, boards)]
    return [_not_formed(spec, system, advice)]


def _not_formed(
    spec: ModelSpec, system: System, advice: Advice, boards: tuple[Board, ...] = ()
) -> Finding:
    if system.device == spec.device and not system.forms:
        return _of("boards", "ok", f"this machine is {spec.device}: {system.reason}")
    if (known := fallback(spec, advice, here=system.device)) is not None:
        return _of("boards", "warning", f"fallback of {system.device}: {known.reason}")
    if boards and any(one.device == spec.device for one in system.forms):
        names = ", ".join(f"{one.id} ({one.family or 'of unknown kind'})" for one in boards)
        return _of("boards", "blocked", f"{names}: no {spec.device}", "ttctl devices ls")
    forms = ", ".join(dict.fromkeys(one.device for one in system.forms))
    text = f"this machine is no {spec.device}; it is: {forms or system.device or 'of unknown kind'}"
    if system.evidence and not system.device:
        text = f"{text}; {system.evidence}"
    return _of("boards", "blocked", text, "ttctl devices ls")


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
    # Of boards that are not held, one's own alone have a holder.
    whose = "this stack's own" if boards and all(one.holders for one in boards) else "free"
    some = f"board {names}, which is {whose}"
    if len(boards) > 1:
        some = f"boards {names}, all {whose}"
    if family := part_of(spec.device, boards):
        some = f"one chip of {family} {names}, which is {whose}; {BOTH}"
    return _of("boards", "ok", f"{spec.device} from {some}")


def of_health(boards: tuple[Board, ...]) -> list[Finding]:
    """Return what is wrong with the boards themselves."""
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


def _of(subject: Subject, verdict: Verdict, summary: str, next_step: str = "") -> Finding:
    return Finding(subject=subject, verdict=verdict, summary=summary, next_step=next_step)
