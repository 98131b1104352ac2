# SPDX-License-Identifier: Apache-2.0
"""`ttctl plan`."""

from __future__ import annotations

import typer

from ttctl.cli import options
from ttctl.cli.palette import Palette, Role
from ttctl.cli.session import Session, session_of
from ttctl.model.plan import How, Plan, Step
from ttctl.model.spec import Request
from ttctl.operations import plan as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@options.takes_request
def plan(
    ctx: typer.Context,
    *,
    request: Request,
    build: options.Build = False,
    pull: options.Pull = "missing",
    force_recreate: options.Recreate = False,
) -> None:
    """Show what `up` would do, and why, without doing it."""
    show_plan(session_of(ctx), request, How(build=build, pull=pull, recreate=force_recreate))


def show_plan(session: Session, request: Request, how: How) -> None:
    """Show which model is taken and why, the steps, and what would be in their way."""
    desired, steps = operations.plan(session.world, request, how)
    head = f"{desired.spec.model} on {desired.spec.device}: {desired.lock.reason}"
    session.show("plan", steps, f"{head}\n{plan_text(steps, session.console.out)}")
    if obstacle := operations.obstacle(session.world, desired, steps):
        session.console.note(f"`up` would refuse: {obstacle.message} {obstacle.why}")


def plan_text(plan: Plan, palette: Palette) -> str:
    """Lay the steps out, one a line, each with its reason; what changes something is coloured."""
    verb = max((len(step.verb) for step in plan.steps), default=0)
    subject = max((len(step.subject) for step in plan.steps), default=0)
    return "\n".join(
        f"  {palette.paint(f'{step.verb:<{verb}}', _role(step))}  "
        f"{step.subject:<{subject}}  {palette.paint(step.reason, 'dim')}"
        for step in plan.steps
    )


def _role(step: Step) -> Role:
    return "dim" if step.verb in {"skip", "wait"} else "accent"
