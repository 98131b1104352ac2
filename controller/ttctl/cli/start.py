# SPDX-License-Identifier: Apache-2.0
"""`ttctl start`."""

from __future__ import annotations

from functools import partial

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.plan_text import plan_text
from ttctl.cli.session import session_of
from ttctl.cli.up import Detach, Wait, program, up_text, with_consent
from ttctl.model.plan import How
from ttctl.operations import start_again as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def start(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    project: options.Project = None,
    wait_timeout: options.WaitTimeout = None,
    wait: Wait = True,
    detach: Detach = True,  # noqa: ARG001 - what always happens; compose's users type it
    reset: options.Reset = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Start what was stopped, as it is locked, and prove that it answers.

    Nothing is resolved anew, fetched or built: no hub and no registry is asked. Boards are leased
    again, those that it had where nobody has them now. What runs already stays as it is.
    """
    session = session_of(ctx)
    stack = stack_word(session, stack, project)
    how = How(wait=wait, reset=reset)
    name = operations.stack_to_start(session.world, stack)
    if dry_run:
        plan = operations.look(session.world, name, how=how).plan
        session.show("plan", plan, f"{plan.stack}\n{plan_text(plan, session.console.out)}")
        return
    bring = partial(
        operations.start_again,
        session.world,
        name,
        wait_s=wait_timeout,
        lock_timeout_s=lock_timeout,
    )
    result = with_consent(session, bring, how)
    session.show("up", result, up_text(result, program=program()))
