# SPDX-License-Identifier: Apache-2.0
"""`ttctl up`."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.lock import LATEST
from ttctl.cli.plan import show_plan
from ttctl.cli.session import Session, session_of
from ttctl.errors import DirtyError
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations import up as up_operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@options.takes_request
def up(
    ctx: typer.Context,
    *,
    request: Request,
    wait_timeout: Annotated[
        int | None,
        typer.Option(
            "--wait-timeout",
            min=1,
            help="Seconds until the engine must be healthy.",
            show_default="what the model may take, else 3600",
            callback=options.from_setting("up.wait_timeout"),
        ),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Come back when it answers, or when it is started."),
    ] = True,
    detach: Annotated[  # noqa: ARG001 - what always happens; compose's users type it
        bool,
        typer.Option(
            "--detach", "-d", help="Leave it running: always so, as in compose.", show_default=False
        ),
    ] = True,
    build: options.Build = False,
    pull: options.Pull = "missing",
    force_recreate: options.Recreate = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Reset boards first that a killed engine left behind.")
    ] = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Bring a model up and prove that it answers.

    Does nothing where everything already is as wanted. Behind `--` stand further flags of the
    engine, such as `-- --max-num-batched-tokens 2048`; they are remembered.
    """
    session = session_of(ctx)
    how = How(build=build, pull=pull, recreate=force_recreate, wait=wait, reset=reset)
    if dry_run:
        show_plan(session, request, how)
        return
    bring = partial(
        up_operations.up, session.world, request, wait_s=wait_timeout, lock_timeout_s=lock_timeout
    )
    result = _after_a_reset(session, bring, how)
    session.show("up", result, up_text(result, program=program()))


def _after_a_reset(
    session: Session, bring: Callable[..., up_operations.UpResult], how: How
) -> up_operations.UpResult:
    """Bring it up; where boards need a reset first, ask for it."""
    try:
        return bring(how=how)
    except DirtyError as dirty:
        if session.console.unattended and not session.flags.yes:
            raise
        session.console.note(f"{dirty.message} {dirty.why} {dirty.evidence}")
        if not session.console.agrees("Reset them now?", next_step=dirty.next_step):
            raise
        return bring(how=replace(how, reset=True))


def program() -> str:
    """Return what to type for ttctl: its name where the shell finds this one, else its path."""
    return "ttctl" if shutil.which("ttctl") == sys.argv[0] else shlex.quote(sys.argv[0])


def up_text(result: up_operations.UpResult, *, program: str) -> str:
    """Say how to talk to the stack."""
    state = "is up" if result.changed else "is up already, nothing was changed"
    if not result.answers:
        state = "is started; whether it answers was not waited for"
    key = shlex.quote(str(result.key_file))
    lines = [f"{result.model} on {result.device} {state} ({result.seconds:.1f} s)"]
    if result.demo:
        lines.append(f"  This is a small DEMO model, not a useful one: {result.reason}.")
    if result.experimental:
        lines.append(f"  Experimental: {result.experimental}.")
    if result.values:
        lines.append(f"  With {LATEST}.")
    lines += [
        "",
        f"base URL   {result.url}/v1",
        f"key        {result.key_file}",
        f"folder     {result.folder}",
        "",
        "curl:",
        f"  curl {result.url}/v1/chat/completions \\",
        f'    -H "Authorization: Bearer $(cat {key})" -H "Content-Type: application/json" \\',
        (
            f'    -d \'{{"model": "{result.model}", '
            '"messages": [{"role": "user", "content": "What is Tenstorrent?"}]}\''
        ),
        "",
        "Python, with the openai package:",
        "  from pathlib import Path",
        "  from openai import OpenAI",
        f'  client = OpenAI(base_url="{result.url}/v1",',
        f'                  api_key=Path("{result.key_file}").read_text().strip())',
        f'  answer = client.chat.completions.create(model="{result.model}",',
        '      messages=[{"role": "user", "content": "What is Tenstorrent?"}])',
        "  print(answer.choices[0].message.content)",
        "",
        "the engine runs:",
        f"  {shlex.join(result.command)}",
        "",
        f'ask        {program} chat --stack {result.stack} "What is Tenstorrent?"',
        f"stop       {program} down {result.stack}",
    ]
    return "\n".join(lines)
