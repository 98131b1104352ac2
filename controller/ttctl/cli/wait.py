# SPDX-License-Identifier: Apache-2.0
"""`ttctl wait`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.session import session_of
from ttctl.operations import stacks

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def wait(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    project: options.Project = None,
    timeout: Annotated[
        int, typer.Option("--timeout", min=1, help="Seconds until it must have answered.")
    ] = 3600,
) -> None:
    """Wait until a stack has answered: not a health check's word, a real completion."""
    session = session_of(ctx)
    name = stacks.pick_stack(session.world, stack_word(session, stack, project))
    found = stacks.wait(session.world, name, timeout_s=timeout)
    session.show("status", found, f"{found.stack}: {session.console.out.state(found.state)}")
