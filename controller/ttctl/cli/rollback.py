# SPDX-License-Identifier: Apache-2.0
"""`ttctl rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.generation_text import difference_text, exchanged_text
from ttctl.cli.session import session_of
from ttctl.model.plan import How
from ttctl.operations import rollback as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def rollback(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    project: options.Project = None,
    to: Annotated[
        int | None,
        typer.Option("--to", min=1, help="Number of a generation [default: the one before]."),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Get images and weights again that are gone.")
    ] = False,
    wait_timeout: options.WaitTimeout = None,
    reset: options.Reset = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Bring a former state of a stack back as it was locked.

    Nothing is resolved, rendered or built. Where it does not become ready, what served is started
    again. It becomes a new generation; `history` lists them.
    """
    session = session_of(ctx)
    stack = stack_word(session, stack, project)
    how = How(reset=reset)
    found = operations.look(session.world, stack, to, how=how, fetch=fetch)
    text = difference_text(found.difference, session.console.out)
    head = f"{found.stack}: back to generation {found.to.number}, ready {found.to.at}"
    if dry_run:
        session.show("diff", found.difference, f"{head}\n{text}")
        return
    session.console.note(head)
    if not found.difference.is_empty:
        session.console.note(text)
    done = operations.rollback(
        session.world, found, how=how, wait_s=wait_timeout, lock_timeout_s=lock_timeout
    )
    session.show("rollback", done, exchanged_text(done))
