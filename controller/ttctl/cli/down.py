# SPDX-License-Identifier: Apache-2.0
"""`ttctl down`."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.plan_text import plan_text
from ttctl.cli.session import session_of
from ttctl.errors import UsageError
from ttctl.operations import stacks
from ttctl.operations.stack_to_end import stack_to_end

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
    timeout: Annotated[
        int | None,
        typer.Option(
            "--timeout",
            "-t",
            min=0,
            help="Seconds that each container has to end [default: its own, up to 120].",
        ),
    ] = None,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Stop a stack and remove its containers; its lock and its key stay."""
    session = session_of(ctx)
    world = session.world
    if every and project:
        stack = project
    if every and stack:
        raise UsageError(
            f"Either the stack {stack!r} or all of them.",
            why="--all would take every other stack down too.",
            next_step=f"ttctl down {shlex.quote(stack)}   # or: ttctl down --all",
        )
    names = stacks.known_stacks(world)
    stack = None if every else stack_word(session, stack, project)
    if not every and (stack or names):
        names = (stack_to_end(world, stack),)
    plans = [
        stacks.down(
            world,
            name,
            volumes=volumes,
            dry_run=dry_run,
            timeout_s=timeout,
            lock_timeout_s=lock_timeout,
        )
        for name in names
    ]
    text = "\n".join(f"{plan.stack}\n{plan_text(plan, session.console.out)}" for plan in plans)
    session.show("down", plans, text or "There is no stack.")
