# SPDX-License-Identifier: Apache-2.0
"""Remove containers of a stack that are in the way of its start; call it under the stack's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.removals import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired


def remove_planned(world: World, desired: Desired, plan: Plan) -> None:
    """Remove what the plan names of the stack's services; compose does the same to all others."""
    stack = desired.stack.name
    services = {one.name for one in desired.stack.services}
    gone = [one.subject for one in plan.steps if one.verb == "remove" and one.subject in services]
    if any(not one.composed for one in world.engine.containers(stack)):
        _remove_all(world, stack, f"Remove what docker run made for {stack}")
    elif plan.wants("remove", NETWORKS):
        _remove_all(world, stack, f"Remove the networks of {stack}, and its containers with them")
    elif gone:
        _remove(world, stack, gone, f"Remove {', '.join(gone)}")


def remove_unstarted(world: World, stack: str, *, leasing: bool = False) -> None:
    """Remove containers that compose made and that never started; with `leasing`, of boards."""
    made = [one for one in world.engine.containers(stack) if one.state == "created"]
    gone = [one.service for one in made if (one.boards if leasing else one.composed)]
    if gone:
        _remove(world, stack, gone, f"Remove {', '.join(gone)}, never started")


def _remove_all(world: World, stack: str, title: str) -> None:
    with world.reporter.step(title):
        world.launcher.down(stack, volumes=None, timeout_s=None, reporter=world.reporter)


def _remove(world: World, stack: str, services: Sequence[str], title: str) -> None:
    with world.reporter.step(title):
        folder = world.store.folder(stack)
        world.launcher.remove(stack, folder, services, reporter=world.reporter)
