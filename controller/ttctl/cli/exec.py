# SPDX-License-Identifier: Apache-2.0
"""`ttctl exec`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ttctl.cli.chosen import stack_word
from ttctl.cli.options import OFSTACK
from ttctl.cli.session import session_of
from ttctl.operations import execute as operations
from ttctl.operations.stacks import known_stacks

app = typer.Typer(add_completion=False, rich_markup_mode=None)
TIMEOUT_S = 600


@app.command(context_settings={"ignore_unknown_options": True})
def execute(
    ctx: typer.Context,
    *,
    service: Annotated[str, typer.Argument(help="The engine (vllm, media or forge), or gateway.")],
    command: Annotated[
        list[str], typer.Argument(help="The command; behind `--` its flags are its own.")
    ],
    stack: Annotated[str | None, typer.Option(*OFSTACK, help="The stack.")] = None,
    interactive: Annotated[  # noqa: ARG001 - what compose does by itself; docker's users type it
        bool,
        typer.Option(
            "--interactive", "-i", help="Keep standard input open: always so.", show_default=False
        ),
    ] = True,
    tty: Annotated[
        bool | None,
        typer.Option("--tty/--no-tty", "-t/-T", help="With a terminal [default: where one is]."),
    ] = None,
    timeout: Annotated[
        int,
        typer.Option("--timeout", min=1, help="Seconds that it may take, under --json."),
    ] = TIMEOUT_S,
) -> None:
    """Run a command in a service's container, as the container's own user.

    The exit code is the command's. Under `--json` it gets no terminal and no input.
    """
    session = session_of(ctx)
    if stack is None and service not in known_stacks(session.world):
        stack = stack_word(session, None)
    name, service, words = operations.aimed(session.world, stack, service, command)
    if session.flags.as_json:
        done = operations.execute(session.world, name, service, words, timeout_s=timeout)
        session.show("exec", done, "")
        raise typer.Exit(done.exit_code)
    terminal = sys.stdin.isatty() and tty is not False
    code, refusal = operations.attach(session.world, name, service, words, terminal=terminal)
    if refusal:
        session.console.error(refusal)
    raise typer.Exit(code)
