# SPDX-License-Identifier: Apache-2.0
"""Bring a stack up, and prove that it answers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, OfflineError, TtctlError
from ttctl.model.plan import AS_NEEDED
from ttctl.operations.beside import engines_of
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire
from ttctl.operations.desire_again import with_certificate, with_known_hashes
from ttctl.operations.explain import explained
from ttctl.operations.gather import gather
from ttctl.operations.generations import adopt, record
from ttctl.operations.laid_over import refuse_unleased
from ttctl.operations.port import with_free_port
from ttctl.operations.preflight import check_online, preflight
from ttctl.operations.ready import await_ready
from ttctl.operations.start import mind_passed, mind_stale, on_free_boards, refuse_dirty, start
from ttctl.operations.start_watch import remember
from ttctl.operations.steps import plan_for
from ttctl.operations.tls import ensure_certificate, known_by_its_own
from ttctl.operations.up_result import result_of
from ttctl.rules.removals import mends
from ttctl.rules.stack import stack_name
from ttctl.rules.warm_up import long_tokens

if TYPE_CHECKING:
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired
    from ttctl.operations.up_result import UpResult

WAIT_S = 3600
"""Limit of the wait for a healthy engine where its entry says none.

Source: tensor_cache_timeout's default in tenstorrent/tt-inference-server:workflows/model_spec.py
"""


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
        # What runs as it is wanted may have keys that others have got at since.
        world.key_ring.read(name)
        desired = with_free_port(world, wanted(world, request, how))
        refuse_unleased(world, desired)
        desired = on_free_boards(world, desired)
        desired, changed = bring_up(world, request, desired, how=how, wait_s=wait_s)
        if how.wait and world.generations.is_kept_for(name):
            record(world, name, request, why="up", whole=False)
    return result_of(world, desired, changed=changed, answers=how.wait, started=started)


def bring_up(
    world: World, request: Request, desired: Desired, *, how: How, wait_s: int | None
) -> tuple[Desired, bool]:
    """Bring what is wanted up, under the stack's lock.

    Returns:
        It, with the boards and the port that it got, and whether anything was changed for that.

    Raises:
        TtctlError: As `up`.
    """
    plan = plan_for(world, desired, how)
    limit_s = wait_s or max(one.start_s or WAIT_S for _, one in engines_of(desired))
    with known_by_its_own(world, desired.stack.name):
        try:
            desired = _bring_up(world, request, desired, plan, how=how, wait_s=limit_s)
        except EngineError:
            again = _looked_again(world, desired, how, mending=bool(plan.changes))
            if again is None:
                raise
            plan = again
            desired = _bring_up(world, request, desired, plan, how=how, wait_s=limit_s)
    # What failed is wanted no more and no less than before.
    world.wanted.want(desired.stack.name)
    return desired, bool(plan.changes)


def _looked_again(world: World, desired: Desired, how: How, *, mending: bool) -> Plan | None:
    """Return what is to be done after a failure; None where nothing is, or nobody can say.

    What was running when it was looked at may have been about to end. Where something was started,
    it is only tried again `mending` what a start does not come over: networks that carry nothing,
    and containers that an engine began to start before it was killed.
    """
    with suppress(TtctlError):
        plan = plan_for(world, desired, how)
        if mending and not mends(plan, world.engine.containers(desired.stack.name)):
            return None
        return plan if plan.changes else None
    return None


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
        adopt(world, desired.stack.name)
        before = world.folders.read_folder(world.store.folder(desired.stack.name))
        try:
            complete = with_certificate(world, with_known_hashes(world, desired))
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
    stack = desired.stack.name
    world.keys.ensure_key(stack)
    requested = desired.request.model
    ensure_certificate(world, desired.terms.tls, stack=stack, requested=requested)
