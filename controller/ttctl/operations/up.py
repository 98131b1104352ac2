# SPDX-License-Identifier: Apache-2.0
"""Bring a stack up, and prove that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire, plan_for, with_known_hashes
from ttctl.operations.explain import explained
from ttctl.operations.gather import gather
from ttctl.operations.preflight import preflight
from ttctl.operations.ready import await_ready
from ttctl.operations.start import on_free_boards, refuse_dirty, start
from ttctl.rules.stack import stack_name
from ttctl.rules.warm_up import long_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired

WAIT_S = 3600
"""Limit of the wait for a healthy engine where its entry says none.

Source: tensor_cache_timeout's default in tenstorrent/tt-inference-server:workflows/model_spec.py
"""


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
    values: str = ""
    """`latest` where the newest release's arguments are taken; empty for those first validated."""


def up(
    world: World,
    request: Request,
    *,
    how: How = AS_NEEDED,
    wait_s: int | None = None,
    lock_timeout_s: float = 10,
) -> UpResult:
    """Do what the plan says; where nothing is to be done, only look.

    Args:
        world: Everything outside.
        request: What is asked for.
        how: What is done though it need not be.
        wait_s: Seconds until the engine must be healthy; None for as long as its entry says that
            a first start may take.
        lock_timeout_s: Seconds to wait for another command's lock.

    Raises:
        TtctlError: One of its kinds for each thing that can be in the way.
    """
    understood(world, request)
    name = stack_name(request)
    started = world.clock.now()
    with world.store.exclusive(name, timeout_s=lock_timeout_s, reporter=world.reporter):
        desired = on_free_boards(world, desire(world, request, how=how))
        plan = plan_for(world, desired, how)
        limit_s = wait_s or desired.spec.start_s or WAIT_S
        try:
            _bring_up(world, request, desired, plan, how=how, wait_s=limit_s)
        except EngineError:
            # What was running when it was looked at may have been about to end: look once more.
            again = plan_for(world, desired, how)
            if plan.changes or not again.changes:
                raise
            plan = again
            _bring_up(world, request, desired, plan, how=how, wait_s=limit_s)
    return _result(world, desired, changed=bool(plan.changes), answers=how.wait, started=started)


def _result(
    world: World, desired: Desired, *, changed: bool, answers: bool, started: float
) -> UpResult:
    name = desired.stack.name
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
        changed=changed,
        answers=answers,
        seconds=world.clock.now() - started,
        experimental=desired.lock.experimental,
        values=desired.lock.values,
    )


def _bring_up(
    world: World, request: Request, desired: Desired, plan: Plan, *, how: How, wait_s: int
) -> None:
    if plan.changes:
        preflight(world, desired, plan)
        if plan.wants_any({"lease"}):
            refuse_dirty(desired, how)
        for warning in desired.override.warnings if desired.override else ():
            world.reporter.note(warning)
        _get_what_is_missing(world, desired, plan)
        before = world.folders.read_folder(world.store.folder(desired.stack.name))
        try:
            complete = with_known_hashes(world, desired)
            with explained(world, desired):
                start(world, complete, plan, before=before, how=how, wait_s=wait_s)
        except EngineError:
            if _names_limits(request):
                _forget(world, desired.stack.name, before)
            raise
    if how.wait:
        with explained(world, desired):
            await_ready(
                world,
                desired.lock,
                quick=not plan.changes,
                wait_s=wait_s,
                warm_tokens=long_tokens(desired.spec),
            )


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
