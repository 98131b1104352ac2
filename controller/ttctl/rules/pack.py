# SPDX-License-Identifier: Apache-2.0
"""Can these models share the boards of one machine? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.match import Packed, Packing
from ttctl.rules.device_sizes import NEEDS_MESH, SIZES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model that is to be placed, with its entry for each device that it may take."""

    word: str
    specs: tuple[ModelSpec, ...]
    """Of devices that the machine's boards can make up, and of `cpu`."""


def pack(candidates: Sequence[Candidate], system: System) -> Packing:
    """Place every model, each on the fewest boards, or say what is in the way.

    A board is given to one model only, whole: a reset takes all of it.
    """
    usable, obstacles = _usable(system.boards)
    free = {family: len(boards) for family, boards in _by_family(usable).items()}
    chosen = _choose(tuple(candidates), free)
    if chosen is None:
        return Packing(
            fits=False,
            placed=(),
            left=tuple(board.id for board in usable),
            machine_mib=system.memory_bytes >> 20,
            obstacles=(*obstacles, *_why_not(candidates, free)),
        )
    placed, left = _place(chosen, usable)
    memory = sum(one.memory_mib for one in placed)
    machine = system.memory_bytes >> 20
    too_much = bool(machine) and memory > machine
    if too_much:
        obstacles = (*obstacles, f"together they need {memory} MiB of memory, {machine} are here")
    return Packing(
        fits=not too_much,
        placed=placed,
        left=left,
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


def _by_family(boards: Sequence[Board]) -> dict[str, list[Board]]:
    families: dict[str, list[Board]] = {}
    for board in boards:
        families.setdefault(board.family, []).append(board)
    return families


def _choose(
    candidates: tuple[Candidate, ...], free: dict[str, int]
) -> tuple[ModelSpec, ...] | None:
    """Return an entry for each model so that the boards suffice; fewest boards first."""
    dead: set[tuple[int, tuple[tuple[str, int], ...]]] = set()

    def place(at: int, left: dict[str, int]) -> tuple[ModelSpec, ...] | None:
        if at == len(candidates):
            return ()
        state = (at, tuple(sorted(left.items())))
        if state in dead:
            return None
        for spec in sorted(candidates[at].specs, key=_fewest_boards_first):
            size = SIZES.get(spec.device)
            family, boards = (size.board, size.boards) if size else ("", 0)
            if boards > left.get(family, 0) and boards:
                continue
            rest = {**left, family: left.get(family, 0) - boards} if boards else left
            if (others := place(at + 1, rest)) is not None:
                return (spec, *others)
        dead.add(state)
        return None

    return place(0, free)


def _fewest_boards_first(spec: ModelSpec) -> tuple[object, ...]:
    size = SIZES.get(spec.device)
    # The processor is the last resort where a model is validated on cards, too.
    boards = size.boards if size else 1 << 20
    return (boards, spec.device, spec.model, spec.engine, spec.implementation, spec.id)


def _place(
    chosen: Sequence[ModelSpec], usable: Sequence[Board]
) -> tuple[tuple[Packed, ...], tuple[str, ...]]:
    free = _by_family(usable)
    placed = []
    for spec in chosen:
        size = SIZES.get(spec.device)
        mine = [free[size.board].pop(0) for _ in range(size.boards)] if size else []
        what = f"{len(mine)} x {size.board}" if size else "no board, the processor"
        placed.append(
            Packed(
                model=spec.model,
                device=spec.device,
                boards=tuple(board.id for board in mine),
                memory_mib=spec.memory_mib,
                reason=f"{spec.device}, {spec.status}: {what}",
            )
        )
    left = tuple(board.id for boards in free.values() for board in boards)
    return tuple(placed), left


def _why_not(candidates: Sequence[Candidate], free: dict[str, int]) -> tuple[str, ...]:
    here = ", ".join(f"{count} x {family}" for family, count in sorted(free.items())) or "none"
    lines = []
    for one in candidates:
        needs = sorted(
            {
                f"{SIZES[spec.device].boards} x {SIZES[spec.device].board} ({spec.device})"
                for spec in one.specs
                if spec.device in SIZES
            }
        )
        lines.append(f"{one.word} needs {' or '.join(needs) or 'a device that is not here'}")
    return (f"free boards: {here}", *lines)


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
