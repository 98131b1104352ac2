# SPDX-License-Identifier: Apache-2.0
"""`ttctl status`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.cause_text import cause_lines
from ttctl.cli.chosen import stack_word
from ttctl.cli.model_text import cache_text
from ttctl.cli.ps import ps_text
from ttctl.cli.reach import reach_line
from ttctl.cli.session import Session, session_of
from ttctl.errors import UsageError
from ttctl.operations import stacks
from ttctl.operations.diagnose import STARTING
from ttctl.operations.stack_status import StackStatus
from ttctl.rules.board_names import shown

SHORTEST_S, USUAL_S, LONGEST_S = 0.5, 2.0, 3600.0
"""Seconds from look to look."""
WANTED = "`ttctl up --boot` brings it back"
app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _boards(session: Session, found: StackStatus) -> list[str]:
    if not found.boards:
        return []
    return [f"boards    {', '.join(shown(session.world.host.system(), found.boards))}"]


def _others(found: StackStatus) -> list[str]:
    return [
        f"mind      {one.name} belongs to another user of ttctl (owner {one.owner or 'none'})"
        for one in found.others
    ]


Live = Annotated[
    bool,
    typer.Option(
        "--live", help="Boards, services, work and events of all stacks or one, again and again."
    ),
]
Interval = Annotated[
    float | None,
    typer.Option(
        "--interval",
        min=SHORTEST_S,
        max=LONGEST_S,
        help="With --live: seconds from look to look.",
        show_default=f"{USUAL_S:g}",
    ),
]
Count = Annotated[
    int | None,
    typer.Option("--count", min=1, help="With --live: looks, then it ends.", show_default="no end"),
]


def _went_on(
    session: Session, word: str | None, *, live: bool, interval: float | None, count: int | None
) -> bool:
    """Show the screen of `--live` and return whether that was asked for.

    Raises:
        UsageError: What only that has a use for was given without it.
    """
    if live:
        # Threads and a screen: one look does without.
        from ttctl.cli import status_live  # noqa: PLC0415

        interval_s = USUAL_S if interval is None else _finite(interval)
        status_live.show(session, word, interval_s=interval_s, count=count)
    elif interval is not None or count is not None:
        raise UsageError(
            f"{'--count' if interval is None else '--interval'} says nothing without --live.",
            why="Without it, there is one look.",
            next_step="ttctl status --live",
        )
    return live


@app.command()
def status(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    project: options.Project = None,
    live: Live = False,
    interval: Interval = None,
    count: Count = None,
) -> None:
    """Say how a stack is and how to talk to it."""
    session = session_of(ctx)
    word = stack_word(session, stack, project)
    if _went_on(session, word, live=live, interval=interval, count=count):
        return
    found = stacks.status(session.world, word)
    paint = session.console.out.state
    if found.state == "unstarted":
        again = f"ttctl up {found.model} --device {found.device} --name {found.stack}"
        text = (
            f"{found.stack}: not started\n"
            f"model     {found.model} on {found.device}\n"
            f"why       {found.reason}\n"
            f"next      {again}"
        )
        session.show("status", found, "\n".join((text, *_others(found))))
        return
    lines = [
        f"{found.stack}: {paint(found.state)}",
        f"model     {found.model or 'unknown'} on {found.device or 'unknown'}",
        *([f"mind      experimental: {found.experimental}"] if found.experimental else []),
        f"why       {found.reason}",
        f"base URL  {found.url}/v1" if found.url else "base URL  none",
        *(f"mind      {line}" for line in reach_line(found.bind, found.tls)),
        *_others(found),
        f"key       {found.key_file}",
        *([f"trust     {found.certificate}"] if found.certificate else []),
        *cause_lines(one for one in found.causes if one.failure != STARTING),
        *([f"next      {found.next_step}"] if found.next_step else []),
        f"boot      {WANTED if found.wanted else 'it stays down'}",
        *_boards(session, found),
        *(f"cache     {cache_text(cache)}" for cache in found.caches),
        *(f"other     {cache_text(cache)}: another version's" for cache in found.other_caches),
    ]
    if found.containers:
        lines += ["", ps_text(session, found.containers)]
    session.show("status", found, "\n".join(lines))


def _finite(interval: float) -> float:
    # `nan` is neither below nor above a limit.
    if interval >= SHORTEST_S:
        return interval
    raise UsageError(
        f"--interval takes {SHORTEST_S:g} to {LONGEST_S:g} seconds, not {interval}.",
        next_step="ttctl status --live --interval 2",
    )
