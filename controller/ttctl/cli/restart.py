# SPDX-License-Identifier: Apache-2.0
"""`ttctl restart`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.plan_text import plan_text
from ttctl.cli.session import session_of
from ttctl.cli.up import Detach, Wait, agrees_to_reset, program, up_text
from ttctl.errors import DirtyError
from ttctl.model.plan import How
from ttctl.operations import restart as operations
from ttctl.operations.stack_to_end import stack_to_end
from ttctl.operations.start_again import stack_to_start

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def restart(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    project: options.Project = None,
    timeout: options.StopTimeout = None,
    wait_timeout: options.WaitTimeout = None,
    wait: Wait = True,
    detach: Detach = True,  # noqa: ARG001 - what always happens; compose's users type it
    reset: options.Reset = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Stop a stack and start it again as it is locked; nobody takes its boards in between.

    What would not start again is refused before anything is stopped.
    """
    session = session_of(ctx)
    stack = stack_word(session, stack, project)
    name = stack_to_start(session.world, stack_to_end(session.world, stack))
    how = How(wait=wait, reset=reset, stale="remove" if session.flags.yes else "keep")
    if dry_run:
        plan = operations.look(session.world, name, how=how)
        session.show("plan", plan, f"{plan.stack}\n{plan_text(plan, session.console.out)}")
        return
    again = partial(
        operations.restart,
        session.world,
        name,
        timeout_s=timeout,
        wait_s=wait_timeout,
        lock_timeout_s=lock_timeout,
    )
    try:
        done = again(how=how)
    except DirtyError as dirty:
        agrees_to_reset(session, dirty)
        done = again(how=replace(how, reset=True))
    session.show("restart", done, restart_text(done, program=program()))


def restart_text(done: operations.Restarted, *, program: str) -> str:
    """Say how to talk to the stack, and how long nobody could."""
    stopped = ", ".join(step.subject for step in done.stopped.changes)
    said = f"{stopped} stopped and started again; no answer for {done.pause_s:.1f} s"
    return f"{up_text(done.up, program=program)}\n\n{said if stopped else 'it was stopped before'}"
