# SPDX-License-Identifier: Apache-2.0
"""`ttctl plan`."""

from __future__ import annotations

import typer

from ttctl.cli import options
from ttctl.cli.session import session_of
from ttctl.model.plan import Plan
from ttctl.model.spec import Request
from ttctl.operations import plan as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@options.takes_request
def plan(
    ctx: typer.Context,
    *,
    request: Request,
) -> None:
    """Show what `up` would do, and why, without doing it."""
    session = session_of(ctx)
    desired, steps = operations.plan(session.world, request)
    head = f"{desired.spec.model} on {desired.spec.device}: {desired.lock.reason}"
    session.show("plan", steps, f"{head}\n{plan_text(steps)}")


def plan_text(plan: Plan) -> str:
    """Lay the steps out, one a line, each with its reason."""
    verb = max((len(step.verb) for step in plan.steps), default=0)
    subject = max((len(step.subject) for step in plan.steps), default=0)
    return "\n".join(
        f"  {step.verb:<{verb}}  {step.subject:<{subject}}  {step.reason}" for step in plan.steps
    )
