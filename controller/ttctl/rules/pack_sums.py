# SPDX-License-Identifier: Apache-2.0
"""Is there enough for all of several models together? Pure. Not yet run on a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.rules.fit_pages import not_mounted
from ttctl.rules.hugepages import all_translate, pages_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.device import Board
    from ttctl.model.spec import ModelSpec
    from ttctl.rules.fitness import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What models take together, and for what that is too much."""

    memory_mib: int
    disk_mib: int
    obstacles: tuple[str, ...]
    warnings: tuple[str, ...]


def sums_of(specs: Sequence[ModelSpec], ground: Ground, boards: Sequence[Board]) -> Sums:
    """Return what entries take together, on the boards that all of them use."""
    memory = sum(spec.memory_mib for spec in specs)
    disk = _disk(specs)
    machine = ground.system.memory_bytes >> 20
    found = []
    if machine and memory > machine:
        found.append(f"together they need {memory} MiB of memory, {machine} are here")
    if ground.disk_mib and disk > ground.disk_mib:
        found.append(f"together they need {disk} MiB of disk, {ground.disk_mib} are free")
    pages, few = _pages(ground, boards)
    return Sums(
        memory_mib=memory,
        disk_mib=disk,
        obstacles=(*found, *pages),
        warnings=few,
    )


def _disk(specs: Sequence[ModelSpec]) -> int:
    """Return what entries take on disk; the same weights lie there once."""
    each: dict[tuple[str, str], int] = {}
    for spec in specs:
        weights = spec.weights.repository or spec.model, spec.weights.revision
        each[weights] = max(_disk_of(spec), each.get(weights, 0))
    return sum(each.values())


def _disk_of(spec: ModelSpec) -> int:
    """Return what an entry takes on disk in MiB: at least its weights, where it does not say."""
    fetched = spec.weights.size_bytes if spec.weights.kind == "hub" else 0
    return spec.disk_mib or -(-fetched >> 20)


def _pages(ground: Ground, boards: Sequence[Board]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (what is in the way, what is a warning) of hugepages, as a plan for one judges it."""
    needed, seen = pages_for(sum(len(board.nodes) for board in boards)), ground.pages
    if not needed or seen.total is None:
        return (), ()
    text = f"together they need {needed} hugepages of 1 GiB, {seen.total} are here"
    # Which of the models might do without is not known of all of them.
    if not seen.mounted:
        return (not_mounted(text, seen).summary,), ()
    return (), (text,) if seen.total < needed and not all_translate(seen.iommu) else ()
