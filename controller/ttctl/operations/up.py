# SPDX-License-Identifier: Apache-2.0
"""Bring a stack up, and prove that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire, plan_for, with_known_hashes
from ttctl.operations.gather import gather
from ttctl.operations.preflight import preflight
from ttctl.operations.ready import await_ready
from ttctl.rules.order import stuck
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired

WAIT_S = 3600
"""Limit of the wait for a healthy engine; upstream allows a first start on a card about this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpResult:
    """A stack that answers."""

    stack: str
    model: str
    device: str
    demo: bool
    reason: str
    url: str
    key_file: Path
    folder: Path
    command: tuple[str, ...]
    """The engine's exact command line."""
    changed: bool
    answers: bool
    """Whether a completion has come back; False where it was not waited for."""
    seconds: float
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty where it was validated."""


def up(
    world: World,
    request: Request,
    *,
    how: How = AS_NEEDED,
    wait_s: int = WAIT_S,
    lock_timeout_s: float = 10,
) -> UpResult:
    """Do what the plan says; where nothing is to be done, only look.

    Raises:
        TtctlError: One of its kinds for each thing that can be in the way.
    """
    understood(world, request)
    name = stack_name(request)
    started = world.clock.now()
    with world.store.exclusive(name, timeout_s=lock_timeout_s, reporter=world.reporter):
        desired = desire(world, request)
        plan = plan_for(world, desired, how)
        try:
            _bring_up(world, request, desired, plan, how=how, wait_s=wait_s)
        except EngineError:
            # What was running when it was looked at may have been about to end: look once more.
            again = plan_for(world, desired, how)
            if plan.changes or not again.changes:
                raise
            plan = again
            _bring_up(world, request, desired, plan, how=how, wait_s=wait_s)
    return UpResult(
        stack=name,
        model=desired.spec.model,
        device=desired.spec.device,
        demo=desired.spec.demo,
        reason=desired.lock.reason,
        url=f"http://127.0.0.1:{desired.stack.port}",
        key_file=world.keys.key_file(name),
        folder=world.store.folder(name),
        command=(*desired.stack.services[0].entrypoint, *desired.stack.services[0].command),
        changed=bool(plan.changes),
        answers=how.wait,
        seconds=world.clock.now() - started,
        experimental=desired.lock.experimental,
    )


def _bring_up(
    world: World, request: Request, desired: Desired, plan: Plan, *, how: How, wait_s: int
) -> None:
    if plan.changes:
        preflight(world, desired, plan)
        for warning in desired.override.warnings if desired.override else ():
            world.reporter.note(warning)
        _get_what_is_missing(world, desired, plan)
        before = world.folders.read_folder(world.store.folder(desired.stack.name))
        try:
            complete = with_known_hashes(world, desired)
            _start(world, complete, plan, before=before, how=how, wait_s=wait_s)
        except EngineError:
            if _names_limits(request):
                _forget(world, desired.stack.name, before)
            raise
    if how.wait:
        await_ready(world, desired.lock, quick=not plan.changes, wait_s=wait_s)


def _names_limits(request: Request) -> bool:
    return any(
        (request.max_model_len, request.max_num_seqs, request.block_size, request.engine_args)
    )


def _forget(world: World, stack: str, before: dict[str, str]) -> None:
    """Put the folder back: limits that the engine refused are not remembered by the next `up`."""
    files = {path: (text, text.startswith("#!")) for path, text in before.items()}
    world.folders.write_folder(world.store.folder(stack), files, prune=True)


def _get_what_is_missing(world: World, desired: Desired, plan: Plan) -> None:
    reporter = world.reporter
    if desired.spec.demo:
        reporter.note(f"{desired.spec.model} is a small demonstration model: {desired.lock.reason}")
    gather(world, desired, plan)
    world.keys.ensure_key(desired.stack.name)


def _start(
    world: World, desired: Desired, plan: Plan, *, before: dict[str, str], how: How, wait_s: int
) -> None:
    reporter, stack = world.reporter, desired.stack
    folder = world.store.folder(stack.name)
    wanted = {path: text for path, (text, _) in desired.files.items()}
    if before != wanted:
        with reporter.step("Write the rendered folder"):
            world.folders.write_folder(folder, desired.files, prune=True)
    if any(step.verb in {"start", "remove"} for step in plan.steps):
        containers = world.engine.containers(stack.name)
        broken = stuck(containers, new_key=plan.wants("key", "gateway key"))
        if broken:
            with reporter.step(f"Remove {', '.join(broken)}"):
                world.launcher.remove(stack.name, folder, broken, reporter=reporter)
        with reporter.step(f"Start {', '.join(service.name for service in stack.services)}"):
            world.launcher.up(stack.name, folder, how=how, wait_s=wait_s, reporter=reporter)
