# SPDX-License-Identifier: Apache-2.0
"""`ttctl up`."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import typer

from ttctl.cli import options
from ttctl.cli.boot import boots
from ttctl.cli.chosen import is_projects, note_changed
from ttctl.cli.lock import LATEST
from ttctl.cli.plan import show_plan
from ttctl.cli.reach import reach_line
from ttctl.cli.request import takes_request
from ttctl.cli.session import Session, session_of
from ttctl.cli.talking import ask_lines, base_url, service_url, talking_lines
from ttctl.errors import DirtyError, StaleFilesError, UsageError
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations import up as up_operations
from ttctl.operations.up_result import UpResult
from ttctl.rules.derived import derived_text

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Wait = Annotated[
    bool,
    typer.Option("--wait/--no-wait", help="Come back when it answers, or when it is started."),
]
Detach = Annotated[
    bool,
    typer.Option(
        "--detach", "-d", help="Leave it running: always so, as in compose.", show_default=False
    ),
]


Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Then try it for two minutes: answers, streams, a tool, a long prompt, eight at once,"
        " and the speed that its entry names; exit code 1 where something fails.",
    ),
]


@app.command()
@boots
@takes_request
def up(
    ctx: typer.Context,
    *,
    request: Request,
    wait_timeout: options.WaitTimeout = None,
    wait: Wait = True,
    detach: Detach = True,  # noqa: ARG001 - what always happens; compose's users type it
    build: options.Build = False,
    pull: options.Pull = "missing",
    force_recreate: options.Recreate = False,
    reset: options.Reset = False,
    verify: Verify = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Bring a model up and prove that it answers.

    Does nothing where everything already is as wanted. Behind `--` stand further flags of the
    engine, such as `-- --max-num-batched-tokens 2048`; they are remembered.
    """
    session = session_of(ctx)
    if verify and not wait:
        raise UsageError(
            "--verify waits for the stack that it tries.",
            why="--no-wait comes back before anybody knows whether it answers.",
            next_step=f"ttctl up {shlex.quote(request.model)} --verify",
        )
    how = How(build=build, pull=pull, recreate=force_recreate, wait=wait, reset=reset)
    if is_projects(session, request):
        note_changed(session)
    if dry_run:
        show_plan(session, request, how)
        return
    bring = partial(
        up_operations.up, session.world, request, wait_s=wait_timeout, lock_timeout_s=lock_timeout
    )
    result = with_consent(session, bring, how)
    if not verify:
        session.show("up", result, up_text(result, program=program()))
        return
    # What asks a stack questions: few starts need it.
    from ttctl.cli import verify_text  # noqa: PLC0415

    result = verify_text.verified(session, result)
    text = up_text(result, program=program())
    session.show("up", result, f"{text}\n\n{verify_text.text_of(session, result)}")
    if result.verified and result.verified.failed:
        raise typer.Exit(1)


def with_consent(session: Session, bring: Callable[..., UpResult], how: How) -> UpResult:
    """Bring it up; where boards need a reset, after somebody agreed to that.

    Files of a killed engine are removed after a question, too; they stay where nobody is asked.
    """
    how = replace(how, stale=_stale(session))
    try:
        return _cleared(session, bring, how)
    except DirtyError as dirty:
        agrees_to_reset(session, dirty)
        return _cleared(session, bring, replace(how, reset=True))


def agrees_to_reset(session: Session, dirty: DirtyError) -> None:
    """Ask whether boards may be reset.

    Raises:
        DirtyError: They may not, or nobody can be asked.
    """
    if session.console.unattended and not session.flags.yes:
        raise dirty
    session.console.note(f"{dirty.message} {dirty.why} {dirty.evidence}")
    if not session.console.agrees("Reset them now?", next_step=dirty.next_step):
        raise dirty


def _stale(session: Session) -> Literal["keep", "ask", "remove"]:
    if session.flags.yes:
        return "remove"
    return "keep" if session.console.unattended else "ask"


def _cleared(session: Session, bring: Callable[..., UpResult], how: How) -> UpResult:
    """Bring it up; where a killed engine left files, after somebody said what becomes of them."""
    try:
        return bring(how=how)
    except StaleFilesError as stale:
        session.console.note(f"{stale.message} {stale.why} {stale.evidence}")
        agreed = session.console.agrees("Remove them now?", next_step=stale.next_step)
        return bring(how=replace(how, stale="remove" if agreed else "keep"))


def program() -> str:
    """Return what to type for ttctl: its name where the shell finds this one, else its path."""
    return "ttctl" if shutil.which("ttctl") == sys.argv[0] else shlex.quote(sys.argv[0])


def up_text(result: UpResult, *, program: str) -> str:
    """Say how to talk to the stack."""
    state = "is up" if result.changed else "is up already, nothing was changed"
    if not result.answers:
        state = "is started; whether it answers was not waited for"
    lines = [f"{result.model} on {result.device} {state} ({result.seconds:.1f} s)"]
    if result.demo:
        lines.append(f"  This is a small DEMO model, not a useful one: {result.reason}.")
    if result.experimental:
        lines.append(f"  Experimental: {result.experimental}.")
    if result.unvalidated:
        named = " and ".join(result.unvalidated)
        lines.append(f"  Unvalidated: {named} is of a checkout, not of the pinned commit.")
    for service, _, folder in (one.partition("=") for one in result.yours):
        lines.append(f"  Yours: {service} is from {folder}; --from none takes ttctl's own again.")
    if result.derived_from:
        lines.append(f"  Mind: {derived_text(result.derived_from)}.")
    if result.values:
        lines.append(f"  With {LATEST}.")
    engine = result.engine
    lines += [
        "",
        f"base URL   {base_url(result.url, engine)}",
        *(f"mind       {line}" for line in reach_line(result.bind, result.tls)),
        f"key        {result.key_file}",
        *([f"trust      {result.certificate}"] if result.certificate else []),
        f"folder     {result.folder}",
        "",
        *talking_lines(
            url=result.url,
            key_file=result.key_file,
            model=result.model,
            engine=engine,
            path=result.service_path,
            certificate=result.certificate,
        ),
        "",
        *_beside(result),
        "the engine runs:",
        f"  {shlex.join(result.command)}",
        "",
        *ask_lines(engine=engine, stack=result.stack, program=program, path=result.service_path),
        f"stop       {program} down {result.stack}",
    ]
    return "\n".join(lines)


def _beside(result: UpResult) -> list[str]:
    """Say where the services beside the engine are."""
    if not result.services:
        return []
    width = max(len(one.name) for one in result.services)
    lines = ["beside it, with the same key:"]
    for one in result.services:
        demo = f", a small DEMO model: {one.reason}" if one.demo else ""
        what = f"   {one.model}{demo}" if one.engine else "   the chat page, for a browser"
        lines.append(
            f"  {one.name:<{width}}  {service_url(result.url, one.name, one.engine)}{what}"
        )
    return [*lines, ""]
