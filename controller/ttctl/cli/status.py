# SPDX-License-Identifier: Apache-2.0
"""`ttctl status`."""

from __future__ import annotations

import typer

from ttctl.cli import options
from ttctl.cli.cause_text import cause_lines
from ttctl.cli.chosen import stack_word
from ttctl.cli.model_text import cache_text
from ttctl.cli.ps import ps_text
from ttctl.cli.session import Session, session_of
from ttctl.operations import stacks
from ttctl.operations.diagnose import STARTING
from ttctl.rules.board_names import shown

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _boards(session: Session, found: stacks.StackStatus) -> list[str]:
    if not found.boards:
        return []
    return [f"boards    {', '.join(shown(session.world.host.system(), found.boards))}"]


@app.command()
def status(
    ctx: typer.Context, *, stack: options.Stack = None, project: options.Project = None
) -> None:
    """Say how a stack is and how to talk to it."""
    session = session_of(ctx)
    found = stacks.status(session.world, stack_word(session, stack, project))
    paint = session.console.out.state
    if found.state == "unstarted":
        again = f"ttctl up {found.model} --device {found.device} --name {found.stack}"
        text = (
            f"{found.stack}: not started\n"
            f"model     {found.model} on {found.device}\n"
            f"why       {found.reason}\n"
            f"next      {again}"
        )
        session.show("status", found, text)
        return
    lines = [
        f"{found.stack}: {paint(found.state)}",
        f"model     {found.model or 'unknown'} on {found.device or 'unknown'}",
        *([f"mind      experimental: {found.experimental}"] if found.experimental else []),
        f"why       {found.reason}",
        f"base URL  {found.url}/v1" if found.url else "base URL  none",
        f"key       {found.key_file}",
        *cause_lines(one for one in found.causes if one.failure != STARTING),
        *_boards(session, found),
        *(f"cache     {cache_text(cache)}" for cache in found.caches),
        *(f"other     {cache_text(cache)}: another version's" for cache in found.other_caches),
    ]
    if found.containers:
        lines += ["", ps_text(session, found.containers)]
    session.show("status", found, "\n".join(lines))
