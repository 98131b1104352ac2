# SPDX-License-Identifier: Apache-2.0
"""`ttctl logs`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.cause_text import causes_text
from ttctl.cli.chosen import stack_word
from ttctl.cli.moments import moment
from ttctl.cli.session import session_of
from ttctl.errors import InterruptedByUserError, UsageError
from ttctl.operations import logs as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def logs(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    services: Annotated[
        list[str] | None, typer.Argument(help="Only these services; --service says the same.")
    ] = None,
    project: options.Project = None,
    service: Annotated[str | None, typer.Option("--service", help="Only this service.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    tail: Annotated[str, typer.Option("--tail", "-n", help="Lines from the end.")] = "all",
    since: Annotated[
        str, typer.Option("--since", help="From a time, such as 10m or 2026-01-31T10:00.")
    ] = "",
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Show the time.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what is known of how services ended.")
    ] = False,
) -> None:
    """Show what a stack's containers print, or with --explain what it means."""
    session = session_of(ctx)
    words = (*([stack] if stack is not None else []), *(services or ()))
    within = stack_word(session, None, project)
    name, chosen = operations.aimed(
        session.world, words, service, within=within, only=project is not None
    )
    if explain:
        causes = operations.explained(session.world, name, services=chosen)
        session.show("causes", causes, causes_text(name, causes))
        return
    lines = operations.logs(
        session.world,
        name,
        services=chosen,
        tail=None if tail == "all" else _count(tail),
        since=moment(since, now=time.time()) if since else None,
        timestamps=timestamps,
        follow=follow,
    )
    paint = session.console.out.paint
    try:
        for line in lines:
            session.line("logs", line, f"{paint(f'{line.service:<7} |', 'dim')} {line.line}")
    except KeyboardInterrupt:
        if not follow:
            raise
        # Its usual end: there is nothing to explain.
        raise typer.Exit(InterruptedByUserError.exit_code) from None


def _count(tail: str) -> int:
    if tail.isdecimal():
        return int(tail)
    raise UsageError(f"--tail takes a number or `all`, not {tail!r}.", next_step="ttctl logs -n 50")
