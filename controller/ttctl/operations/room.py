# SPDX-License-Identifier: Apache-2.0
"""Is there room on the disk for what a plan brings?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.weights import SPARE_BYTES
from ttctl.operations.get import wanted_weights
from ttctl.rules.pull_room import GIB, built_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

MB = 1_000_000


def check_disk(world: World, desired: Desired, plan: Plan, *, root: Path) -> None:
    """Refuse what would not fit: images under `root`, weights under the cache.

    Raises:
        TtctlError: The disk is too full.
    """
    images = built_bytes(desired.images, plan) + (plan.pull_bytes or 0)
    supplies = [world.weights.supply(one) for one in wanted_weights(desired, plan)]
    weights = sum(one.fetched_bytes + one.copied_bytes for one in supplies)
    spare = SPARE_BYTES if weights else 0
    needs: list[tuple[tuple[Path, ...], int, int, str]] = [
        ((root,), images, 0, "images"),
        ((world.cache,), weights, spare, "weights"),
    ]
    if world.host.free_bytes(root) == world.host.free_bytes(world.cache):
        # To the byte the same: one file system has to hold both.
        what = " and ".join(name for _, needed, _, name in needs if needed)
        needs = [(tuple(dict.fromkeys((root, world.cache))), images + weights, spare, what)]
    for paths, needed, left, what in needs:
        free = world.host.free_bytes(paths[0])
        if needed and free < needed + left:
            beside = f" and {_room(left)} that stay free;" if left else ""
            raise TtctlError(
                f"There is not enough room for the {what}.",
                why=f"{_room(needed)} are needed,{beside} {_room(free)} are free.",
                evidence=f"The file system of {' and '.join(map(str, paths))}; "
                "nothing was changed.",
                next_step="docker system df && docker builder prune"
                if images and root in paths
                else f"du -xsh {world.cache.parent}/* | sort -h   # what fills it",
            )


def _room(size_bytes: int) -> str:
    return f"{size_bytes / GIB:.1f} GiB" if size_bytes >= GIB else f"{size_bytes / MB:.1f} MB"
