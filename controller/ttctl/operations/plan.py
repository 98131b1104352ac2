# SPDX-License-Identifier: Apache-2.0
"""Say what `up` would do, render it, or lock it, without starting anything."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import HeldError, NoDeviceError, PrivilegeError, TtctlError, UsageError
from ttctl.model.plan import AS_NEEDED, Plan
from ttctl.operations.choose import fitness, understood
from ttctl.operations.desire import desire, plan_for
from ttctl.operations.forms import commands, in_forms
from ttctl.operations.preflight import check_machine
from ttctl.operations.preview import is_elsewhere
from ttctl.operations.render_folder import LOCK_NAME
from ttctl.operations.start import on_free_boards
from ttctl.rules.renderings import COMPOSE
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lock import Lock
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
    desired = desire(world, request, how=how)
    # Who has the boards is said by `obstacle`; which would be taken is not known then.
    with suppress(HeldError, NoDeviceError, PrivilegeError):
        desired = on_free_boards(world, desired)
    made = plan_for(world, desired, how)
    findings = fitness(world, desired.spec)
    return desired, replace(made, match=desired.choice.match, fitness=findings)


def plan_with_commands(world: World, request: Request, how: How = AS_NEEDED) -> Plan:
    """Return the plan with the commands that it stands for: docker's, then the engine's own.

    For a card of another machine nobody is asked for what only a hub or a registry knows.
    """
    device = request.device or world.host.system().device
    if is_elsewhere(world, device):
        desired = desire(world, request, unlocked=True, rendering=True)
        return Plan(
            stack=desired.stack.name,
            steps=(),
            match=desired.choice.match,
            commands=commands(world, desired),
        )
    desired, made = plan(world, request, how)
    return replace(made, commands=commands(world, desired))


def obstacle(world: World, desired: Desired, plan: Plan) -> TtctlError | None:
    """Return why `up` would refuse this plan, as far as looking at this machine tells."""
    try:
        check_machine(world, desired, plan)
        if plan.wants_any({"lease"}):
            on_free_boards(world, desired)
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
        UsageError: `output` holds something that ttctl did not render.
        LockedError: Another command changes the stack, whose key the folder names.
    """
    _check_output(output, request)
    understood(world, request)
    if dry_run:
        desired = desire(world, request, unlocked=unlocked, rendering=True, folder=output)
        desired = in_forms(world, desired, forms, unlocked=unlocked)
        return _rendered(output, desired, forms, unlocked=unlocked)
    name = stack_name(request)
    with world.store.exclusive(name, timeout_s=lock_timeout_s, reporter=world.reporter):
        desired = desire(world, request, unlocked=unlocked, rendering=True, folder=output)
        desired = in_forms(world, desired, forms, unlocked=unlocked)
        world.keys.ensure_key(name)
        world.folders.write_folder(output, desired.files, prune=False)
    return _rendered(output, desired, forms, unlocked=unlocked)


def _check_output(output: Path, request: Request) -> None:
    if output.exists() and not output.is_dir():
        raise UsageError(
            f"{str(output)!r} is not a folder.",
            why="A rendered stack is a folder of files.",
            next_step=f"ttctl render {request.model} -o {output}.d",
        )
    if output.is_dir() and any(output.iterdir()) and not (output / LOCK_NAME).exists():
        raise UsageError(
            f"{str(output)!r} is not empty.",
            why="It holds files that ttctl did not render, and nothing of them is overwritten.",
            evidence=f"It has no {LOCK_NAME}.",
            next_step=f"ttctl render {request.model} -o {output}/ttctl",
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
        return desire(world, request, upgrade=upgrade).lock
    name = stack_name(request)
    with world.store.exclusive(name, timeout_s=lock_timeout_s, reporter=world.reporter):
        desired = desire(world, request, upgrade=upgrade)
        folder = world.store.folder(name)
        world.folders.write_folder(folder, desired.files, prune=True)
    return desired.lock
