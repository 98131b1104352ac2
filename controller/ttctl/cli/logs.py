# SPDX-License-Identifier: Apache-2.0
"""`ttctl logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import session_of
from ttctl.operations import stacks

app = typer.Typer(add_completion=False)


@app.command()
def logs(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    service: Annotated[str | None, typer.Option("--service", help="Only this service.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    tail: Annotated[str, typer.Option("--tail", "-n", help="Lines from the end.")] = "all",
    since: Annotated[
        str, typer.Option("--since", help="From a time, such as 10m or 2026-01-31T10:00.")
    ] = "",
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show the time.")] = False,
) -> None:
    """Show what a stack's containers print."""
    session = session_of(ctx)
    name = stacks.pick_stack(session.world, stack)
    arguments = ["logs", "--tail", tail]
    arguments += ["--follow"] if follow else []
    arguments += ["--since", since] if since else []
    arguments += ["--timestamps"] if timestamps else []
    arguments += [service] if service else []
    session.world.launcher.attach(name, arguments)
