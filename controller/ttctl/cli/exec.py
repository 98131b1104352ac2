# SPDX-License-Identifier: Apache-2.0
"""`ttctl exec`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ttctl.cli.meant import nearest
from ttctl.cli.session import session_of
from ttctl.errors import UsageError
from ttctl.operations import stacks

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(context_settings={"ignore_unknown_options": True})
def execute(
    ctx: typer.Context,
    *,
    service: Annotated[str, typer.Argument(help="A service of the stack: vllm or gateway.")],
    command: Annotated[
        list[str], typer.Argument(help="The command; behind `--` its flags are its own.")
    ],
    stack: Annotated[
        str | None, typer.Option("--stack", help="The stack; not needed where there is one.")
    ] = None,
) -> None:
    """Run a command in a service's container, as the container's own user."""
    session = session_of(ctx)
    name = stacks.pick_stack(session.world, stack)
    states = session.world.engine.containers(name)
    running = [state.service for state in states if state.state == "running"]
    if service not in running:
        raise UsageError(
            f"The stack {name!r} runs no service {service!r}.",
            why="Its containers are not here, or have ended.",
            evidence=f"Running services: {', '.join(running) or 'none'}.",
            next_step=f"ttctl status {name}",
            mistyped=service,
            meant=nearest(service, running),
        )
    no_terminal = [] if sys.stdin.isatty() else ["--no-TTY"]
    session.world.launcher.attach(name, ["exec", *no_terminal, service, *command])
