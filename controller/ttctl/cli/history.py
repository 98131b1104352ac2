# SPDX-License-Identifier: Apache-2.0
"""`ttctl history`."""

from __future__ import annotations

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.generation_text import history_text
from ttctl.cli.session import session_of
from ttctl.operations import generations as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def history(
    ctx: typer.Context, *, stack: options.Stack = None, project: options.Project = None
) -> None:
    """List the states in which a stack was ready, the last three.

    Each is a generation: a lock with its rendered folder. The one that serves has a mark.
    """
    session = session_of(ctx)
    stack = stack_word(session, stack, project)
    rows = operations.history(session.world, stack)
    session.show("history", rows, history_text(session, rows))
