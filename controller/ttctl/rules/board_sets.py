# SPDX-License-Identifier: Apache-2.0
"""Which boards does each engine of a stack get? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError, UsageError
from ttctl.rules.board_choice import is_usable, ways
from ttctl.rules.board_names import boards_named
from ttctl.rules.board_pick import choose_boards, none_free, rank, word_of
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.domains import domains_of
from ttctl.rules.leases import lease_of, with_leases
from ttctl.rules.one_chip import part_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.device import Board, System
    from ttctl.model.lease import Lease
    from ttctl.model.spec import Request

    Way = tuple[Board, ...]
    Sets = tuple[Way, ...]

_EACH = "Each engine on a card leases boards of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What one engine of a stack needs."""

    service: str
    """Name of its container."""
    device: str
    """Upstream's device type in lower case; `cpu` takes no board."""
    whole: str = ""
    """Why one chip of a larger board does not do; empty where it does."""
    had: tuple[str, ...] = ()
    """Names of the boards that its container has, or had until it stopped."""

    def __str__(self) -> str:
        """Say it in one phrase."""
        size = SIZES[self.device]
        return f"{self.service} takes the {self.device} ({size.boards} x {size.board})"


def choose_sets(
    wants: Sequence[Want],
    system: System,
    leases: Sequence[Lease],
    *,
    asked: Sequence[str] = (),
    request: Request,
) -> Sets:
    """Return the boards of each engine, no reset domain twice: by the order of `choose_boards`.

    Args:
        wants: What each engine needs, the stack's own first.
        system: The machine.
        leases: How each of its reset domains is, for the stack that asks.
        asked: Words for the boards that they share; none for any.
        request: What the boards are for: a refusal offers to swap it in.

    Raises:
        HeldError: Somebody else has boards of every choice.
        NoDeviceError: No boards here make up one of the devices, or what they are is not well.
        NothingFitsError: Each would fit alone, and not all of them together.
        PrivilegeError: Whether boards are free cannot be seen by this user.
        UsageError: There is no such board, or those that are named do not do.
    """
    if len(wants) == 1:
        (one,) = wants
        found = choose_boards(
            one.device, system, leases, asked=asked, had=one.had, whole=one.whole, request=request
        )
        return (found,)
    system = with_leases(system, leases)
    for one in wants:
        if not ways(one.device, system):
            # Another machine's device: it is refused as it is for one engine.
            choose_boards(one.device, system, leases, whole=one.whole)
    named = boards_named(system, asked) if asked else system.boards
    every = _sets(wants, system, {board.id for board in named})
    if not every:
        raise _too_few_named(wants, named, asked) if asked else too_few(wants, system)
    usable = [one for one in every if all(is_usable(board) for way in one for board in way)]
    if not usable:
        joined = [tuple(board for way in one for board in way) for one in every]
        raise none_free(" and a ".join(one.device for one in wants), joined, leases, request)
    return min(usable, key=lambda one: _ranks(wants, one, leases))


def fit_together(wants: Sequence[Want], system: System) -> bool:
    """Return whether the machine's boards do for all engines, whoever has which now."""
    return bool(_sets(wants, system, {board.id for board in system.boards}))


def too_few(
    wants: Sequence[Want], system: System, *, next_step: str = "ttctl devices ls"
) -> NothingFitsError:
    """Return why the boards of a machine do not do for all engines of one stack."""
    return NothingFitsError(
        "The boards of this machine do not do for all engines of the stack.",
        why=f"{_EACH}; a chat page needs none.",
        evidence=f"{_needs(wants)}. Boards: {_words(system.boards)}.",
        next_step=next_step,
    )


def _too_few_named(wants: Sequence[Want], named: Way, asked: Sequence[str]) -> UsageError:
    return UsageError(
        f"These boards do not do for all engines of the stack: {', '.join(asked)}.",
        why=f"{_EACH}.",
        evidence=f"{_needs(wants)}. Named: {_words(named)}.",
        next_step="ttctl devices ls",
    )


def _needs(wants: Iterable[Want]) -> str:
    return "; ".join(map(str, wants))


def _words(boards: Iterable[Board]) -> str:
    return ", ".join(map(word_of, boards)) or "none"


def _sets(wants: Sequence[Want], system: System, among: set[str]) -> list[Sets]:
    """Return every way to give each engine boards of its own."""
    domain = {board: one.key for one in domains_of(system) for board in one.boards}
    return [
        one
        for one in product(*(_ways(want, system, among) for want in wants))
        if _are_apart([{domain[board.id] for board in way} for way in one])
    ]


def _ways(want: Want, system: System, among: set[str]) -> list[Way]:
    return [
        way
        for way in ways(want.device, system)
        if among.issuperset(board.id for board in way)
        and not (want.whole and part_of(want.device, way))
    ]


def _are_apart(domains: Sequence[set[str]]) -> bool:
    return sum(map(len, domains)) == len(set().union(*domains))


def _ranks(wants: Sequence[Want], sets: Sets, leases: Sequence[Lease]) -> list[tuple[bool, ...]]:
    """Return what puts a choice first: each engine keeps its own, and leaves the others theirs."""
    return [
        (
            _is_anothers(way, [one for one in wants if one is not want], leases),
            *rank(want.device, way, leases, {word.lower() for word in want.had}),
        )
        for want, way in zip(wants, sets, strict=True)
    ]


def _is_anothers(way: Way, others: Iterable[Want], leases: Sequence[Lease]) -> bool:
    theirs = {word.lower() for one in others for word in one.had}
    return any(theirs & set(lease_of(board.id, leases).domain.names) for board in way)
