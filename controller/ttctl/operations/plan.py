# SPDX-License-Identifier: Apache-2.0
"""Say what `up` would do, render it, or lock it, without starting anything."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import HeldError, NoDeviceError, PrivilegeError, TtctlError, UsageError
from ttctl.model.pins import OWN
from ttctl.model.plan import AS_NEEDED, Plan
from ttctl.operations.choose import understood
from ttctl.operations.desire import desire
from ttctl.operations.forms import in_forms
from ttctl.operations.generations import adopt
from ttctl.operations.judge import fitness_of
from ttctl.operations.laid_over import refuse_unleased
from ttctl.operations.lease import take
from ttctl.operations.port import with_free_port
from ttctl.operations.preflight import check_machine
from ttctl.operations.preview import is_elsewhere
from ttctl.operations.pull_room import room_for_images
from ttctl.operations.render_folder import LOCK_NAME
from ttctl.operations.start import on_free_boards
from ttctl.operations.steps import plan_for
from ttctl.operations.tls import ensure_first
from ttctl.rules.board_pick import boards_asked
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.one_chip import why_whole
from ttctl.rules.renderings import COMPOSE
from ttctl.rules.stack import stack_name
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lock import Lock
    from ttctl.model.match import Match
    from ttctl.model.override import Override
    from ttctl.model.plan import How, StackForm
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A folder that was written."""

    folder: Path
    files: tuple[str, ...]
    """Paths inside of it."""
    forms: tuple[StackForm, ...] = COMPOSE
    unlocked: bool = False
    """Whether what only a hub or a registry knows was left open."""
    override: Override | None = None
    """What the user laid over the compose file in this folder."""


def plan(world: World, request: Request, how: How = AS_NEEDED) -> tuple[Desired, Plan]:
    """Resolve `request` and return what `up` would do."""
    desired = with_free_port(world, desire(world, request, how=how))
    # Who has the boards is said by `obstacle`; which would be taken is not known then.
    with suppress(HeldError, NoDeviceError, PrivilegeError):
        desired = on_free_boards(world, desired)
    made = plan_for(world, desired, how)
    findings = (*fitness_of(world, desired), *room_for_images(world, desired, made))
    return desired, replace(made, match=as_it_runs(desired.choice.match, desired), fitness=findings)


def as_it_runs(match: Match | None, desired: Desired) -> Match | None:
    """Return a match with the image, the contract and the commits that run in place of the pins'.

    It is another one where the images are built here, from the pins or from checkouts.
    """
    spec = desired.spec
    if match is None or spec.pins is None or desired.stack.contract != OWN:
        return match
    commits, image = dict(desired.serving.commits), desired.serving.engine_image
    pins = replace(
        spec.pins,
        contract=OWN,
        image=image.reference,
        tt_metal=commits.get("tt-metal", spec.pins.tt_metal),
        vllm=commits.get("vllm", spec.pins.vllm),
        inferred=(),
    )
    named = " and ".join(image.unvalidated)
    marks = (f"unvalidated: {named} is of a checkout, not of the pinned commit",) if named else ()
    spec = replace(match.spec, pins=pins)
    return replace(match, spec=spec, warnings=(*match.warnings, *marks))


def obstacle(world: World, desired: Desired, plan: Plan) -> TtctlError | None:
    """Return why `up` would refuse this plan, as far as looking at this machine tells."""
    if world.host.system().replayed:
        # Nothing of this machine is in the way of one that a snapshot shows.
        return None
    try:
        refuse_unleased(world, desired)
        if plan.wants_any({"lease"}):
            on_free_boards(world, desired)
        check_machine(world, desired, plan)
    except TtctlError as refusal:
        return refusal
    return None


def boards_refused(world: World, request: Request, found: Plan) -> TtctlError | None:
    """Return why the boards cannot be had for what was matched, None where they can."""
    if found.match is None or world.host.system().replayed:
        return None
    spec = found.match.spec
    try:
        whole = why_whole(spec)
        take(world, spec.device, found.stack, request.boards, whole=whole, request=request)
    except TtctlError as refusal:
        return refusal
    return None


def render(
    world: World,
    request: Request,
    *,
    output: Path,
    forms: tuple[StackForm, ...] = COMPOSE,
    unlocked: bool = False,
    dry_run: bool = False,
    lock_timeout_s: float = 10,
) -> Rendered:
    """Write the rendered folder to `output`; `dry_run` only says which files it would hold.

    `unlocked` works where neither a hub nor a registry answers: what only they know stays open.

    Raises:
        UsageError: `output` holds something that ttctl did not render, or boards of this machine
            were named that do not make up the device.
        LockedError: Another command changes the stack, whose key the folder names.
    """
    _check_output(output, request, forms, unlocked=unlocked)
    understood(world, request)
    if dry_run:
        desired = _to_write(world, request, forms, unlocked=unlocked, output=output)
        return _rendered(output, desired, forms, unlocked=unlocked)
    name = stack_name(request)
    with world.store.exclusive(name, timeout_s=lock_timeout_s, reporter=world.reporter):
        desired = _to_write(world, request, forms, unlocked=unlocked, output=output)
        world.keys.ensure_key(name)
        if ensure_first(world, request, desired.terms.tls):
            desired = _to_write(world, request, forms, unlocked=unlocked, output=output)
        if any(one.wants_key for one in desired.serving.each):
            world.engine_files.ensure_key(name)
        world.folders.write_folder(output, desired.files, prune=False)
    return _rendered(output, desired, forms, unlocked=unlocked)


def _to_write(
    world: World, request: Request, forms: tuple[StackForm, ...], *, unlocked: bool, output: Path
) -> Desired:
    desired = desire(world, request, unlocked=unlocked, rendering=True, folder=output)
    spec, asked = desired.spec, desired.request.boards
    if asked and spec.device in SIZES and not is_elsewhere(world, spec.device):
        # Of another machine's boards nothing is known here.
        boards_asked(spec.device, world.host.system(), asked, whole=why_whole(spec))
    return in_forms(world, desired, forms, unlocked=unlocked)


def _check_output(
    output: Path, request: Request, forms: tuple[StackForm, ...], *, unlocked: bool
) -> None:
    given = [word for form in forms if forms != COMPOSE for word in ("--to", form)]
    given += ["--unlocked"] if unlocked else []
    if output.exists() and not output.is_dir():
        raise UsageError(
            f"{str(output)!r} is not a folder.",
            why="A rendered stack is a folder of files.",
            next_step=typed("render", request, *given, "-o", f"{output}.d"),
        )
    if output.is_dir() and any(output.iterdir()) and not (output / LOCK_NAME).exists():
        raise UsageError(
            f"{str(output)!r} is not empty.",
            why="It holds files that ttctl did not render, and nothing of them is overwritten.",
            evidence=f"It has no {LOCK_NAME}.",
            next_step=typed("render", request, *given, "-o", f"{output}/ttctl"),
        )


def _rendered(
    output: Path, desired: Desired, forms: tuple[StackForm, ...], *, unlocked: bool
) -> Rendered:
    return Rendered(
        folder=output,
        files=tuple(sorted(desired.files)),
        forms=forms,
        unlocked=unlocked,
        override=desired.override,
    )


def lock(
    world: World,
    request: Request,
    *,
    upgrade: bool,
    dry_run: bool = False,
    lock_timeout_s: float = 10,
) -> Lock:
    """Resolve every floating reference and write the lock with its rendered folder.

    `dry_run` resolves and writes nothing.
    """
    understood(world, request)
    if dry_run:
        return with_free_port(world, desire(world, request, upgrade=upgrade)).lock
    name = stack_name(request)
    with world.store.exclusive(name, timeout_s=lock_timeout_s, reporter=world.reporter):
        desired = with_free_port(world, desire(world, request, upgrade=upgrade))
        adopt(world, name)
        folder = world.store.folder(name)
        world.folders.write_folder(folder, desired.files, prune=True)
    return desired.lock
