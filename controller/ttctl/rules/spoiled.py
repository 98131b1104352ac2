# SPDX-License-Identifier: Apache-2.0
"""Which boards were left in disorder, and until when? Pure. Not yet run on a card.

An engine that is killed leaves its cards' cores running: the next start on them fails.

Source: https://github.com/tenstorrent/tt-inference-server/issues/4923
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.lease import Spoiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.lease import ContainerUse, Domain, Remembered

SIGNALS = {134: "aborted", 135: "crashed", 136: "crashed", 137: "was killed", 139: "crashed"}
"""Exit codes of processes that a signal ended before they could close their cards."""
ENDED = ("exited", "dead", "removing")


def how_it_ended(container: ContainerUse) -> str:
    """Return how a container ended where that was unclean, empty where it was not."""
    if container.phase not in ENDED:
        return ""
    if container.oom_killed:
        return "was killed for its memory"
    if word := SIGNALS.get(container.exit_code):
        return f"{word} (exit code {container.exit_code})"
    if container.exit_code and container.fatal:
        return f"ended with {container.exit_code}: {container.fatal}"
    return ""


def spoiled_by(containers: Iterable[ContainerUse]) -> tuple[Spoiled, ...]:
    """Return the boards that containers which are still here left in disorder."""
    return tuple(
        Spoiled(
            board=board.lower(),
            reason=f"container {one.name} {how}",
            stack=one.stack,
            at=one.finished_at,
        )
        for one in containers
        if (how := how_it_ended(one))
        for board in one.boards
    )


def dirt_of(domain: Domain, containers: Iterable[ContainerUse], remembered: Remembered) -> str:
    """Return why a domain needs a reset, empty where it does not."""
    cleared = _cleared(domain.names, remembered)
    found = [
        one
        for one in (*spoiled_by(containers), *remembered.spoiled)
        if one.board in domain.names and moment(one.at) > cleared
    ]
    return max(found, key=lambda one: moment(one.at)).reason if found else ""


def with_new(remembered: Remembered, found: Sequence[Spoiled]) -> Remembered:
    """Return what is to be kept when boards were seen to be left in disorder."""
    fresh = [
        one
        for one in found
        if one not in remembered.spoiled
        and moment(one.at) > _cleared((one.board,), remembered)
    ]  # fmt: skip
    return replace(remembered, spoiled=(*remembered.spoiled, *fresh)) if fresh else remembered


def with_cleared(remembered: Remembered, names: Sequence[str], *, at: str) -> Remembered:
    """Return what is to be kept when boards were reset, or declared clean, at a moment.

    Args:
        remembered: What was kept.
        names: Every name of those boards.
        at: RFC 3339.
    """
    clean = {name.lower() for name in names}
    kept = tuple(pair for pair in remembered.cleared if pair[0] not in clean)
    return replace(
        remembered,
        spoiled=tuple(one for one in remembered.spoiled if one.board not in clean),
        cleared=(*kept, *((name, at) for name in sorted(clean))),
    )


def moment(text: str) -> str:
    """Return a moment of RFC 3339 in UTC so that later ones compare as greater.

    The engine leaves zeros at the end of its fraction out.
    """
    whole, _, fraction = text.rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}"


def _cleared(names: Sequence[str], remembered: Remembered) -> str:
    return max((moment(at) for name, at in remembered.cleared if name in names), default="")
