# SPDX-License-Identifier: Apache-2.0
"""Can these models share the boards of one machine? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.match import Packed, Packing
from ttctl.rules.device_sizes import NEEDS_MESH, SIZES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, Formed, System
    from ttctl.model.spec import ModelSpec

    Choice = tuple[ModelSpec, Formed | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model that is to be placed, with its entry for each device that it may take."""

    word: str
    specs: tuple[ModelSpec, ...]
    """Of devices that the machine's boards can make up, and of `cpu`."""


def pack(candidates: Sequence[Candidate], system: System) -> Packing:
    """Place every model, each on the fewest chips, or say what is in the way.

    A board is given to one model only, whole: a reset takes all of it.
    """
    usable, obstacles = _usable(system.boards)
    ids = frozenset(board.id for board in usable)
    forms = tuple(one for one in system.forms if ids.issuperset(one.boards))
    machine = system.memory_bytes >> 20
    chosen = _choose(tuple(candidates), forms)
    if chosen is None:
        return Packing(
            fits=False,
            placed=(),
            left=tuple(board.id for board in usable),
            machine_mib=machine,
            obstacles=(*obstacles, *_why_not(candidates, usable)),
        )
    placed = tuple(_packed(spec, formed) for spec, formed in chosen)
    used = {board for one in placed for board in one.boards}
    memory = sum(one.memory_mib for one in placed)
    too_much = bool(machine) and memory > machine
    if too_much:
        text = f"together they need {memory} MiB of memory, {machine} are here"
        obstacles = (*obstacles, text)
    return Packing(
        fits=not too_much,
        placed=placed,
        left=tuple(board.id for board in usable if board.id not in used),
        memory_mib=memory,
        machine_mib=machine,
        obstacles=obstacles,
        unknown=_unknown(system, placed),
    )


def _usable(boards: Sequence[Board]) -> tuple[tuple[Board, ...], tuple[str, ...]]:
    usable, obstacles = [], []
    for board in sorted(boards, key=lambda one: one.id):
        if board.free == "held":
            who = ", ".join(board.holders) or "a process"
            obstacles.append(f"board {board.id} ({board.family}) is in use by {who}")
        elif board.verdict == "error":
            why = ", ".join(board.reasons) or "error"
            obstacles.append(f"board {board.id} ({board.family}) is not healthy: {why}")
        else:
            usable.append(board)
    return tuple(usable), tuple(obstacles)


def _choose(
    candidates: tuple[Candidate, ...], forms: tuple[Formed, ...]
) -> tuple[Choice, ...] | None:
    """Return an entry and its boards for each model, so that no board is given twice."""
    dead: set[tuple[int, frozenset[str]]] = set()

    def place(at: int, used: frozenset[str]) -> tuple[Choice, ...] | None:
        if at == len(candidates):
            return ()
        if (at, used) in dead:
            return None
        for spec, formed in _options(candidates[at], forms):
            boards = frozenset(formed.boards) if formed else frozenset()
            if boards & used:
                continue
            if (others := place(at + 1, used | boards)) is not None:
                return ((spec, formed), *others)
        dead.add((at, used))
        return None

    return place(0, frozenset())


def _options(candidate: Candidate, forms: tuple[Formed, ...]) -> list[Choice]:
    """Return where a model may go, the fewest chips first, the processor last."""
    found: list[Choice] = []
    for spec in sorted(candidate.specs, key=_fewest_chips_first):
        if spec.device in SIZES:
            found += [(spec, one) for one in forms if one.device == spec.device]
        else:
            found.append((spec, None))
    return found


def _fewest_chips_first(spec: ModelSpec) -> tuple[object, ...]:
    size = SIZES.get(spec.device)
    chips = size.chips if size else 1 << 20
    return (chips, spec.device, spec.model, spec.engine, spec.implementation, spec.id)


def _packed(spec: ModelSpec, formed: Formed | None) -> Packed:
    what = formed.reason if formed else "no board, the processor"
    return Packed(
        model=spec.model,
        device=spec.device,
        boards=formed.boards if formed else (),
        memory_mib=spec.memory_mib,
        reason=f"{spec.device}, {spec.status}: {what}",
    )


def _why_not(candidates: Sequence[Candidate], usable: Sequence[Board]) -> tuple[str, ...]:
    families = [board.family for board in usable]
    counted = [f"{families.count(one)} x {one}" for one in sorted(set(families))]
    lines = [f"free boards: {', '.join(counted) or 'none'}"]
    for one in candidates:
        needs = sorted(
            {
                f"{SIZES[spec.device].boards} x {SIZES[spec.device].board} ({spec.device})"
                for spec in one.specs
                if spec.device in SIZES
            }
        )
        lines.append(f"{one.word} needs {' or '.join(needs) or 'a device that is not here'}")
    return tuple(lines)


def _unknown(system: System, placed: Sequence[Packed]) -> tuple[str, ...]:
    found = []
    on_cards = [one for one in placed if one.boards]
    if system.device in NEEDS_MESH and any(one.device != system.device for one in on_cards):
        found.append(
            f"{system.device} is set up as one mesh; no source says whether single boards of it "
            "start without a new set-up, or need TT_MESH_GRAPH_DESC_PATH"
        )
    if any(board.free == "unknown" for board in system.boards):
        found.append("another user's processes cannot be seen: a board may be in use")
    if any(not one.memory_mib for one in placed):
        found.append("an entry does not say how much host memory it takes")
    return tuple(found)
