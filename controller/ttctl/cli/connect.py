# SPDX-License-Identifier: Apache-2.0
"""`ttctl connect`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.session import Session, session_of
from ttctl.errors import UsageError
from ttctl.model.connect import Connection
from ttctl.operations import connect as operations
from ttctl.operations.doors import find_door

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def connect(
    ctx: typer.Context,
    *,
    tool: Annotated[
        str | None, typer.Argument(help="A program, such as env or aider; without it, their list.")
    ] = None,
    stack: Annotated[
        str | None, typer.Argument(help="The stack; not needed where there is one.")
    ] = None,
    project: options.Project = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the program's own file, with the key.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write this file instead, with the key."),
    ] = None,
    show_key: Annotated[
        bool, typer.Option("--show-key", help="Print the key itself, not where it lies.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")
    ] = False,
) -> None:
    """Print or write what other programs need to talk to a running stack."""
    session = session_of(ctx)
    if tool is None:
        if write or output:
            raise UsageError(
                "Which program's settings are to be written?",
                why="Without a program, only their list is printed.",
                next_step="ttctl connect aider --write",
            )
        tools = session.world.shelf.tools.known()
        rows = [(one.name, f"~/{one.file}" if one.file else "-", one.title) for one in tools]
        session.show("tools", tools, session.table(("TOOL", "FILE", "WHAT IT IS"), rows))
        return
    chosen = operations.meant_tool(session.world, tool)
    door = find_door(session.world, stack_word(session, stack, project))
    shown = operations.connection(session.world, door, chosen, show_key=show_key)
    if write or output:
        shown = operations.write(session.world, door, chosen, shown, file=output, dry_run=dry_run)
        _tell(session, shown)
        return
    session.show("connect", shown, shown.settings.rstrip("\n"))
    # In a pipe the settings are on their way to where they are used.
    if sys.stdout.isatty() and not session.console.as_json:
        session.console.note(session.console.err.paint(f"use: {shown.use}", "dim"))


def _tell(session: Session, shown: Connection) -> None:
    if shown.state == "unchanged":
        text = f"{shown.file}: is as it should be, nothing was written"
    else:
        would = "would be " * (shown.state == "planned")
        why = ", since it holds the key" * shown.holds_key
        text = f"{shown.file}: {would}written, for you alone{why}"
    if shown.state == "planned":
        text += f"\n\n{shown.settings.rstrip()}"
    session.show("connect", shown, text)
