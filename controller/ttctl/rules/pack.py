# SPDX-License-Identifier: Apache-2.0
"""Can these models share the boards of one machine? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.match import Packed, Packing
from ttctl.rules.device_sizes import NEEDS_MESH, SIZES
from ttctl.rules.pack_sums import sums_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.model.device import Board, Formed, System
    from ttctl.model.match import Finding, Verdict
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.fitness import Ground

    Choice = tuple[ModelSpec, Formed | None]
    Judge = Callable[[ModelSpec, tuple[Board, ...]], tuple[Finding, ...]]

_OF_ALL = frozenset({"memory", "disk", "pages"})
"""Of these, all models together are judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model that is to be placed, with its entry for each device that it may take."""

    word: str
    specs: tuple[ModelSpec, ...]
    """Of devices that the machine's boards can make up, and of `cpu`."""
    asked: str = ""
    """The device that it is to have where that one is free; empty for the fewest chips."""
    minds: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(device of an entry, what is to be minded of it)."""

    def said_of(self, spec: ModelSpec) -> tuple[str, ...]:
        """Return what is to be minded of one of its entries."""
        texts = dict(self.minds).get(spec.device, ())
        return tuple(f"{spec.model} on {spec.device}: {text}" for text in texts)


def pack(candidates: Sequence[Candidate], ground: Ground, judge: Judge) -> Packing:
    """Place every model, on the fewest chips where it asks for none, or say what is in the way.

    A board is given to one model only, whole: a reset takes all of it. Where nothing is in the way
    of a model on some boards, it gets those; else what is in the way is told.

    Args:
        candidates: The models.
        ground: The machine.
        judge: What an entry needs, held against the machine with some of its boards.
    """
    system = ground.system
    usable, obstacles = _usable(system.boards)
    ids = frozenset(board.id for board in usable)
    # A model on one chip of two would keep the other one idle.
    whole = (one for one in system.forms if not one.part_of)
    forms = tuple(one for one in whole if ids.issuperset(one.boards))
    judged = _Judged(boards=usable, judge=judge)
    options = [_options(one, forms) for one in candidates]
    chosen = _choose([judged.fit(way) for way in options])
    chosen = chosen or _choose(options)
    if chosen is None:
        return Packing(
            fits=False,
            placed=(),
            left=tuple(board.id for board in usable),
            machine_mib=system.memory_bytes >> 20,
            free_disk_mib=ground.disk_mib,
            obstacles=(*obstacles, *_why_not(candidates, usable)),
        )
    placed = tuple(_packed(spec, formed) for spec, formed in chosen)
    used = {board for one in placed for board in one.boards}
    sums = sums_of(
        [spec for spec, _ in chosen], ground, [board for board in usable if board.id in used]
    )
    in_the_way = (*judged.said(chosen, "blocked"), *sums.obstacles)
    return Packing(
        fits=not in_the_way,
        placed=placed,
        left=tuple(board.id for board in usable if board.id not in used),
        memory_mib=sums.memory_mib,
        machine_mib=system.memory_bytes >> 20,
        disk_mib=sums.disk_mib,
        free_disk_mib=ground.disk_mib,
        obstacles=(*obstacles, *in_the_way),
        warnings=(*judged.said(chosen, "warning"), *_minded(candidates, chosen), *sums.warnings),
        unknown=(*_unknown(system, placed), *judged.said(chosen, "unknown")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What stands in the way of each choice, and what else is to be said of it."""

    boards: tuple[Board, ...]
    judge: Judge

    def fit(self, options: Sequence[Choice]) -> list[Choice]:
        """Return where nothing is in a model's way.

        The processor is no way out where every board is refused: what is wrong with them is told.
        """
        fit = [one for one in options if self._is_fit(one)]
        refused = any(formed for _, formed in options) and not any(formed for _, formed in fit)
        return [] if refused else fit

    def _is_fit(self, choice: Choice) -> bool:
        return all(one.verdict != "blocked" for one in self._findings(choice))

    def said(self, chosen: Sequence[Choice], verdict: Verdict) -> tuple[str, ...]:
        """Return what was found with a verdict, each once; of memory and disk the sums tell."""
        found = {
            f"{spec.model} on {spec.device}: {one.summary}": None
            for spec, formed in chosen
            for one in self._findings((spec, formed))
            if one.verdict == verdict and one.subject not in _OF_ALL
        }
        return tuple(found)

    def _findings(self, choice: Choice) -> tuple[Finding, ...]:
        spec, formed = choice
        ids = formed.boards if formed else ()
        return self.judge(spec, tuple(board for board in self.boards if board.id in ids))


def _minded(candidates: Sequence[Candidate], chosen: Sequence[Choice]) -> tuple[str, ...]:
    """Return what is to be minded of the entries that were taken, each once."""
    pairs = zip(candidates, chosen, strict=True)
    return tuple(dict.fromkeys(text for one, (spec, _) in pairs for text in one.said_of(spec)))


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


def _choose(options: Sequence[Sequence[Choice]]) -> tuple[Choice, ...] | None:
    """Return an entry and its boards for each model, so that no board is given twice."""
    dead: set[tuple[int, frozenset[str]]] = set()

    def place(at: int, used: frozenset[str]) -> tuple[Choice, ...] | None:
        if at == len(options):
            return ()
        if (at, used) in dead:
            return None
        for spec, formed in options[at]:
            boards = frozenset(formed.boards) if formed else frozenset()
            if boards & used:
                continue
            if (others := place(at + 1, used | boards)) is not None:
                return ((spec, formed), *others)
        dead.add((at, used))
        return None

    return place(0, frozenset())


def _options(candidate: Candidate, forms: tuple[Formed, ...]) -> list[Choice]:
    """Return where a model may go: as it asks, else the fewest chips first, the processor last."""
    found: list[Choice] = []
    ordered = sorted(candidate.specs, key=_fewest_chips_first)
    for spec in sorted(ordered, key=lambda one: one.device != candidate.asked):
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
