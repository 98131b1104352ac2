# SPDX-License-Identifier: Apache-2.0
"""`ttctl down`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.plan_text import plan_text
from ttctl.cli.session import session_of
from ttctl.operations import stacks
from ttctl.operations.stack_to_end import stacks_to_end

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def down(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    project: options.Project = None,
    every: Annotated[bool, typer.Option("--all", help="Every stack.")] = False,
    volumes: Annotated[
        bool, typer.Option("--volumes", "-v", help="Remove the stack's volumes too.")
    ] = False,
    timeout: options.StopTimeout = None,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Stop a stack and remove its containers; its lock and its key stay."""
    session = session_of(ctx)
    world = session.world
    word = (project or stack) if every else stack_word(session, stack, project)
    plans = [
        stacks.down(
            world,
            name,
            volumes=volumes,
            dry_run=dry_run,
            timeout_s=timeout,
            lock_timeout_s=lock_timeout,
        )
        for name in stacks_to_end(world, word, every=every, verb="down")
    ]
    text = "\n".join(f"{plan.stack}\n{plan_text(plan, session.console.out)}" for plan in plans)
    session.show("down", plans, text or "There is no stack.")
