# SPDX-License-Identifier: Apache-2.0
"""`ttctl swap`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.plan_text import plan_text
from ttctl.cli.request import takes_request
from ttctl.cli.session import Session, session_of
from ttctl.cli.up import agrees_to_reset, program, up_text
from ttctl.errors import DirtyError
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations import swap as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@takes_request
def swap(
    ctx: typer.Context,
    stack: Annotated[str, typer.Argument(help="The stack that is up, or its model.")],
    *,
    request: Request,
    wait_timeout: options.WaitTimeout = None,
    reset: options.Reset = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Exchange a stack that is up for another model, in one step.

    What it needs is fetched and built while the stack goes on serving, and what would not start
    here is refused before the stack is touched. Its lock, its folder and its key stay, and where
    the model does not come up, the stack is brought back.
    """
    session = session_of(ctx)
    how = How(reset=reset, stale="remove" if session.flags.yes else "keep")
    if dry_run:
        found = operations.look(session.world, stack, request, how=how)
        head = f"{found.plan.stack} in place of {found.former.stack}"
        text = f"{head}\n{plan_text(found.plan, session.console.out)}"
        session.show("plan", found.plan, text)
        return
    found = prepared(session, stack, request, how, lock_timeout=lock_timeout)
    done = operations.exchange(
        session.world, found, wait_s=wait_timeout, lock_timeout_s=lock_timeout
    )
    session.show("swap", done, swap_text(done, program=program()))


def prepared(
    session: Session, stack: str, request: Request, how: How, *, lock_timeout: float
) -> operations.Exchange:
    """Get all that is needed; where boards need a reset, after somebody agreed to that."""
    try:
        return operations.prepare(
            session.world, stack, request, how=how, lock_timeout_s=lock_timeout
        )
    except DirtyError as dirty:
        agrees_to_reset(session, dirty)
        return operations.prepare(
            session.world,
            stack,
            request,
            how=replace(how, reset=True),
            lock_timeout_s=lock_timeout,
        )


def swap_text(done: operations.Swapped, *, program: str) -> str:
    """Say what is up, and how it is swapped back."""
    lines = [
        up_text(done.up, program=program),
        f"back       {program}{done.back.removeprefix('ttctl')}",
        "",
        f"{done.stopped} was stopped, its lock and key stay; no answer for {done.pause_s:.1f} s",
    ]
    return "\n".join(lines)
