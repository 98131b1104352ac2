# SPDX-License-Identifier: Apache-2.0
"""Bring a stack up, and prove that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, OfflineError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.beside import engines_of
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire, with_known_hashes
from ttctl.operations.explain import explained
from ttctl.operations.gather import gather
from ttctl.operations.laid_over import refuse_unleased
from ttctl.operations.port import with_free_port
from ttctl.operations.preflight import check_online, preflight
from ttctl.operations.ready import await_ready
from ttctl.operations.start import mind_passed, mind_stale, on_free_boards, refuse_dirty, start
from ttctl.operations.start_watch import remember
from ttctl.operations.steps import plan_for
from ttctl.rules.acceptance_trials import service_path
from ttctl.rules.beside import CHAT_SERVICE, wants_page
from ttctl.rules.stack import BIND, stack_name
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
class Further:
    """A service beside the stack's own engine."""

    name: str
    engine: str
    """Empty for one that computes nothing."""
    model: str
    reason: str
    """Why this model; empty where there is none."""
    demo: bool


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
    engine: str = "vllm"
    """What computes, and so how it is talked to."""
    derived_from: str = ""
    """The entry whose tt-metal a program of ours stands on; empty for a validated pairing."""
    values: str = ""
    """`latest` where the newest release's arguments are taken; empty for those first validated."""
    unvalidated: tuple[str, ...] = ()
    """Components that are built from a checkout in place of the pinned commit."""
    yours: tuple[str, ...] = ()
    """Services that the user edited, `SERVICE=FOLDER`."""
    services: tuple[Further, ...] = ()
    """What stands beside the engine behind the same gateway."""
    bind: str = BIND
    """Address of this host on which the gateway listens; `0.0.0.0` lets other machines in."""
    service_path: str = ""
    """Path of what the model is for, such as `/v1/audio/speech`; empty where it talks."""


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
        desired = with_free_port(world, wanted(world, request, how))
        refuse_unleased(world, desired)
        desired = on_free_boards(world, desired)
        plan = plan_for(world, desired, how)
        limit_s = wait_s or max(one.start_s or WAIT_S for _, one in engines_of(desired))
        try:
            desired = _bring_up(world, request, desired, plan, how=how, wait_s=limit_s)
        except EngineError:
            # What was running when it was looked at may have been about to end: look once more.
            again = plan_for(world, desired, how)
            if plan.changes or not again.changes:
                raise
            plan = again
            desired = _bring_up(world, request, desired, plan, how=how, wait_s=limit_s)
    return _result(world, desired, changed=bool(plan.changes), answers=how.wait, started=started)


def wanted(world: World, request: Request, how: How) -> Desired:
    """Resolve a request; where that needs a hub and the place is offline, say all that is missing.

    Raises:
        OfflineError: The weights cannot be had, nor the images that are named with them.
    """
    try:
        return desire(world, request, how=how)
    except OfflineError:
        if world.site.is_offline:
            named = desire(world, request, how=how, hub=False)
            check_online(world, named, plan_for(world, named, how))
        raise


def _result(
    world: World, desired: Desired, *, changed: bool, answers: bool, started: float
) -> UpResult:
    name, engine = desired.stack.name, desired.stack.services[0]
    return UpResult(
        stack=name,
        model=desired.spec.model,
        device=desired.spec.device,
        demo=desired.spec.demo,
        reason=desired.lock.reason,
        url=f"http://127.0.0.1:{desired.stack.port}",
        key_file=world.keys.key_file(name),
        folder=world.store.folder(name),
        command=(*engine.entrypoint, *engine.command),
        changed=changed,
        answers=answers,
        seconds=world.clock.now() - started,
        experimental=desired.lock.experimental,
        engine=desired.lock.engine,
        derived_from=desired.lock.derived_from,
        values=desired.lock.values,
        unvalidated=desired.serving.engine_image.unvalidated,
        yours=tuple(one.yours for one in desired.images if one.yours),
        services=_further(desired),
        bind=desired.stack.bind,
        service_path=service_path(desired.spec),
    )


def _further(desired: Desired) -> tuple[Further, ...]:
    beside = tuple(
        Further(
            name=one.service,
            engine=one.choice.spec.engine,
            model=one.choice.spec.model,
            reason=one.choice.reason,
            demo=one.choice.spec.demo,
        )
        for one in desired.choice.beside
    )
    page = Further(name=CHAT_SERVICE, engine="", model="", reason="", demo=False)
    return (*beside, page) if wants_page(desired.choice.services) else beside


def _bring_up(
    world: World, request: Request, desired: Desired, plan: Plan, *, how: How, wait_s: int
) -> Desired:
    """Do what is wanted; return it with the boards and the port that it got."""
    begun = None
    if plan.changes:
        preflight(world, desired, plan)
        if plan.wants_any({"lease"}):
            refuse_dirty(desired, how)
            mind_stale(world, desired, how)
            mind_passed(world, desired)
        for warning in desired.override.warnings if desired.override else ():
            world.reporter.note(warning)
        _get_what_is_missing(world, desired, plan)
        before = world.folders.read_folder(world.store.folder(desired.stack.name))
        try:
            complete = with_known_hashes(world, desired)
            with explained(world, desired):
                came = start(world, complete, plan, before=before, how=how, wait_s=wait_s)
            desired, begun = came.desired, came.begun
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
        if begun is not None:
            remember(world, begun)
    return desired


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
