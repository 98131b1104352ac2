# SPDX-License-Identifier: Apache-2.0
"""`ttctl upgrade`."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.generation_text import difference_text, exchanged_text
from ttctl.cli.session import Session, session_of
from ttctl.errors import DirtyError
from ttctl.model.plan import How
from ttctl.operations import upgrade as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)
SETTINGS = ("device", "port", "max_model_len", "max_num_seqs", "block_size", "image_uid")
"""Settings `up.` of these names fill what nobody typed."""


@app.command()
def upgrade(
    ctx: typer.Context,
    *,
    stack: options.Stack = None,
    project: options.Project = None,
    rollback: Annotated[
        bool,
        typer.Option(
            "--rollback/--no-rollback", help="Bring it back where it fails, or leave it failed."
        ),
    ] = True,
    wait_timeout: options.WaitTimeout = None,
    reset: options.Reset = False,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Resolve a stack anew; it comes back where that fails.

    Entry, commits, images, weights and settings are asked for again; what was typed stays.
    Shows what would be another, and asks. What is new is fetched and built while the stack goes on
    serving; where it does not become ready, the stack is brought back as it was.
    """
    session = session_of(ctx)
    how = How(reset=reset, stale="remove" if session.flags.yes else "keep")
    found = looked(session, stack_word(session, stack, project), how)
    text = difference_text(found.difference, session.console.out)
    if found.difference.is_empty:
        text = f"{found.stack}: nothing would be another, it is as it would be resolved now"
    if dry_run:
        session.show("diff", found.difference, text)
        return
    if not found.difference.is_empty:
        session.console.note(text)
        again = shlex.join(["ttctl", "upgrade", found.stack, "--yes"])
        if not session.console.agrees(f"Upgrade {found.stack} to this?", next_step=again):
            session.show("upgrade", operations.left(session.world, found), "Nothing was changed.")
            return
    try:
        done = operations.upgrade(
            session.world,
            found,
            how=how,
            wait_s=wait_timeout,
            lock_timeout_s=lock_timeout,
            goes_back=rollback,
        )
    except DirtyError as dirty:
        dirty.next_step = shlex.join(["ttctl", "upgrade", found.stack, "--reset"])
        raise
    session.show("upgrade", done, exchanged_text(done))


def looked(session: Session, stack: str | None, how: How) -> operations.Upgrade:
    """Resolve a stack anew with the settings as they are now."""
    session.may_fetch = True
    settings = {name: session.setting(f"up.{name}") for name in SETTINGS}
    return operations.look(session.world, stack, settings, how=how)
