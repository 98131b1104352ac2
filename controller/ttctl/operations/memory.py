# SPDX-License-Identifier: Apache-2.0
"""Does this machine's memory do for what is built and what serves?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.rules.memory_sum import check_sum

if TYPE_CHECKING:
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

GB, MB = 1_000_000_000, 1_000_000


def check_memory(world: World, desired: Desired, plan: Plan) -> None:
    """Refuse a build that needs more than there is, and engines that do together.

    Raises:
        NothingFitsError: There is too little.
    """
    _check_build(world, desired, plan)
    _check_sum(world, desired, plan)


def warn_of_memory(world: World, desired: Desired) -> None:
    """Say where one engine's limit is more than the machine has; it may do with less."""
    memory = world.host.system().memory_bytes // (1 << 20)
    if memory < desired.spec.memory_mib:
        world.reporter.note(
            f"this machine has {memory} MiB of memory; the engine's limit is "
            f"{desired.spec.memory_mib} MiB"
        )


def _check_build(world: World, desired: Desired, plan: Plan) -> None:
    building = [image for image in desired.images if plan.wants("build", image.name)]
    largest = max(building, key=lambda image: image.memory_gb, default=None)
    memory = world.host.system().memory_bytes
    if largest is None or largest.memory_gb * GB <= memory:
        return
    raise NothingFitsError(
        f"This machine has too little memory to build {largest.name!r}.",
        why=f"{largest.memory_gb} GB are needed, {_size(memory)} are there.",
        evidence=f"To be built: {', '.join(image.name for image in building)}; "
        "nothing was changed.",
        next_step="docker system info   # an engine on a larger machine is named by DOCKER_HOST",
    )


def _check_sum(world: World, desired: Desired, plan: Plan) -> None:
    stack, choice = desired.stack, desired.choice
    beside = {one.service for one in choice.beside}
    if not any(plan.wants("start", name) for name in (stack.engine.name, *beside)):
        return
    others = (one for one in stack.services if one.name in beside)
    check_sum(
        [(one.name, one.memory_mib) for one in (stack.engine, *others)],
        here_mib=world.host.system().memory_bytes >> 20,
        request=desired.request,
        words=choice.services,
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / GB:.1f} GB" if size_bytes >= GB else f"{size_bytes / MB:.1f} MB"
