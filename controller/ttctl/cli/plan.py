# SPDX-License-Identifier: Apache-2.0
"""`ttctl plan`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ttctl.cli import options
from ttctl.cli.match_text import match_lines, packing_lines
from ttctl.cli.plan_text import (
    beside_lines,
    command_lines,
    entry_lines,
    exemption_lines,
    override_lines,
    plan_text,
    reason_lines,
    ways_out,
)
from ttctl.cli.reach import reach_line
from ttctl.cli.request import takes_request
from ttctl.cli.session import Session, session_of
from ttctl.errors import HeldError, NoDeviceError, NothingFitsError, TtctlError, UsageError
from ttctl.model.match import Finding
from ttctl.model.plan import How, Plan
from ttctl.model.spec import Request
from ttctl.operations import preview

if TYPE_CHECKING:
    from ttctl.operations.desire import Desired

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Further = Annotated[
    list[str] | None, typer.Argument(help="With --pack: the other models.", show_default=False)
]
Snapshot = Annotated[
    Path | None,
    typer.Option(
        "--tt-smi-snapshot",
        metavar="FILE",
        help="A file that `tt-smi -s` wrote: plan for its cards.",
    ),
]


@app.command()
@takes_request
def plan(
    ctx: typer.Context,
    *,
    request: Request,
    models: Further = None,
    pack: Annotated[
        bool, typer.Option("--pack", help="Place several models on the boards of this machine.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Say why this model, and why no other.")
    ] = False,
    commands: Annotated[
        bool,
        typer.Option("--commands", help="Print the docker commands instead, ready to be pasted."),
    ] = False,
    build: options.Build = False,
    pull: options.Pull = "missing",
    force_recreate: options.Recreate = False,
    snapshot: Snapshot = None,
) -> None:
    """Show what `up` would do, and why, without doing it.

    Where `up` would refuse, it ends with the same reason, next step and exit code.
    """
    session = session_of(ctx)
    if snapshot is not None:
        session.snapshot = snapshot
    if pack:
        _pack(session, request, tuple(models or ()))
        return
    _refuse_further(request, models)
    how = How(build=build, pull=pull, recreate=force_recreate)
    if commands:
        show_commands(session, request, how)
        return
    show_plan(session, request, how, why=why, latest=request.values == "latest")


def show_plan(
    session: Session, request: Request, how: How, *, why: bool = False, latest: bool = False
) -> None:
    """Show which model is taken and why, the steps, and what would be in their way."""
    found = preview.look(session.world, request, latest=latest)
    if found is not None and (latest or preview.is_for_another(session.world, found)):
        lines = _known(session, found, why=why, latest=latest)
        session.show("plan", found, "\n".join(lines))
        _end(session, found)
        return
    # All that a start here needs, which a look at what was validated does without.
    from ttctl.operations import plan as operations  # noqa: PLC0415

    if found is not None:
        _show_start(session, request, how, found, why=why)
        return
    desired, steps = operations.plan(session.world, request, how)
    mark = f" (experimental: {desired.lock.experimental})" if desired.lock.experimental else ""
    head = f"{desired.spec.model} on {desired.spec.device}: {desired.lock.reason}{mark}"
    chosen = match_lines(steps.match, session.console.out)[1:] if steps.match else []
    lines = [head, *chosen, *reason_lines(steps, why=why, verbose=session.flags.verbose)]
    lines += beside_lines(desired.choice)
    lines.append(plan_text(steps, session.console.out))
    lines += [*override_lines(steps.override), *_reach(desired)]
    session.show("plan", steps, "\n".join(lines))
    if refusal := operations.obstacle(session.world, desired, steps):
        refuse(session, refusal)


def _reach(desired: Desired) -> list[str]:
    return [f"mind      {one}" for one in reach_line(desired.stack.bind, desired.lock.tls)]


def refuse(session: Session, refusal: TtctlError, found: Plan | None = None) -> NoReturn:
    """Leave as `up` would, behind the answer: with its reason, its next step and its code.

    Raises:
        TtctlError: Always.
    """
    session.console.note("`up` would refuse:")
    if found and found.match and found.match.offers:
        session.console.note(f"in its place: {found.match.offers[0].command}")
    raise refusal


def _known(session: Session, found: Plan, *, why: bool, latest: bool = False) -> list[str]:
    verbose = session.flags.verbose
    return entry_lines(found, session.console.out, why=why, verbose=verbose, latest=latest)


def _show_start(session: Session, request: Request, how: How, found: Plan, *, why: bool) -> None:
    """Show what `up` would do on this machine's boards, below what was validated."""
    # As above.
    from ttctl.operations import plan as operations  # noqa: PLC0415

    try:
        desired, steps = operations.plan(session.world, request, how)
    except TtctlError as refusal:
        session.show("plan", found, "\n".join(_known(session, found, why=why)))
        # What this machine is short of is known though a hub or a registry does not answer.
        held = operations.boards_refused(session.world, request, found)
        if held is None:
            _end(session, found)
        refuse(session, held or refusal, found)
    steps = replace(steps, match=operations.as_it_runs(found.match, desired))
    lines = _known(session, steps, why=why)
    lines += [*exemption_lines(desired.stack), *beside_lines(desired.choice)]
    lines += [plan_text(steps, session.console.out), *override_lines(steps.override)]
    lines += _reach(desired)
    session.show("plan", steps, "\n".join(lines))
    if obstacle := operations.obstacle(session.world, desired, steps):
        refuse(session, obstacle, found)
    _end(session, steps)


def show_commands(session: Session, request: Request, how: How) -> None:
    """Print the lines that `up` stands for, and nothing else: they are to be pasted."""
    # All that an image of our own needs, which a prebuilt one does without.
    from ttctl.operations import plan_commands as operations  # noqa: PLC0415

    steps, refusal = operations.plan_with_commands(session.world, request, how)
    session.show("plan", steps, "\n".join(command_lines(steps)))
    if refusal is not None:
        refuse(session, refusal)


def _end(session: Session, found: Plan) -> None:
    """Leave with the code of what is in the way; the answer has said what it is."""
    blocked = [one for one in found.fitness if one.verdict == "blocked"]
    if not blocked:
        return
    session.console.note(f"it would not start here: {'; '.join(one.summary for one in blocked)}")
    for line in ways_out(found, blocked):
        session.console.note(line)
    raise typer.Exit(_code(session, found, blocked).exit_code)


def _code(session: Session, found: Plan, blocked: list[Finding]) -> type[TtctlError]:
    """Return which refusal it is; boards that others have are it where nothing else is."""
    subjects = {one.subject for one in blocked}
    if "boards" in subjects and preview.is_for_another(session.world, found):
        return NoDeviceError
    return HeldError if subjects == {"boards"} else NothingFitsError


def _pack(session: Session, request: Request, further: tuple[str, ...]) -> None:
    # What only this needs, which a plain plan does without.
    from ttctl.operations.pack import packing  # noqa: PLC0415

    requests = tuple(replace(request, model=word) for word in (request.model, *further))
    found = packing(session.world, requests)
    session.show("pack", found, "\n".join(packing_lines(found)))
    if not found.fits:
        raise typer.Exit((HeldError if found.held else NothingFitsError).exit_code)


def _refuse_further(request: Request, models: list[str] | None) -> None:
    if not models:
        return
    raise UsageError(
        "A plan is for one model.",
        why="Several models are placed on one machine with --pack.",
        evidence=f"Typed: {request.model} {' '.join(models)}.",
        next_step=f"ttctl plan --pack {request.model} {' '.join(models)}",
    )
