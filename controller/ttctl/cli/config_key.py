# SPDX-License-Identifier: Apache-2.0
"""`ttctl config key`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import Session, session_of
from ttctl.model.keys import KeyChange
from ttctl.operations import keys as operations
from ttctl.rules.keys import keep_seconds

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Make, revoke and exchange the keys of a stack.",
)

KeyName = Annotated[str, typer.Argument(metavar="NAME", help="The key's name, such as ci.")]
Stack = Annotated[
    str | None, typer.Option("--stack", help="The stack; not needed where there is one.")
]
NONE = "This stack has no key yet; `up` makes one."


@app.command("ls")
def ls(ctx: typer.Context, *, stack: options.Stack = None) -> None:
    """List the keys of a stack by name, without the keys."""
    session = session_of(ctx)
    found = operations.listed(session.world, stack)
    rows = [(one.name, one.made or "-", one.until or "-", one.state) for one in found]
    text = session.table(("NAME", "MADE", "UNTIL", "STATE"), rows) if rows else NONE
    session.show("keys", found, text)


@app.command("new")
def new(
    ctx: typer.Context,
    *,
    key_name: KeyName,
    stack: Stack = None,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Make a key of that name and print it, this once.

    Only its SHA-256 is kept. The running gateway accepts it at once, and goes on with its requests.
    """
    session = session_of(ctx)
    made = operations.new(
        session.world, key_name, stack, dry_run=dry_run, lock_timeout_s=lock_timeout
    )
    _show(session, made)


@app.command("revoke")
def revoke(
    ctx: typer.Context,
    *,
    key_name: KeyName,
    stack: Stack = None,
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Let a key be refused from now on.

    An answer that is on its way still comes to its end.
    """
    session = session_of(ctx)
    gone = operations.revoke(
        session.world, key_name, stack, dry_run=dry_run, lock_timeout_s=lock_timeout
    )
    _show(session, gone)


@app.command("rotate")
def rotate(
    ctx: typer.Context,
    *,
    key_name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="The key's name [default: the stack's own, default]."
        ),
    ] = None,
    stack: Stack = None,
    keep: Annotated[
        str,
        typer.Option("--keep", help="How long the old one stays valid: 15m, 24h, 7d, or 0."),
    ] = "24h",
    lock_timeout: options.LockTimeout = 10,
    dry_run: options.DryRun = False,
) -> None:
    """Put a new key in the place of one.

    The old one goes on being valid for a while; then the gateway refuses it by itself. A named key
    is printed, this once. The stack's own key is a file, which gets the new one.
    """
    session = session_of(ctx)
    keep_s = keep_seconds(keep)
    changed = operations.rotate(
        session.world,
        key_name,
        stack,
        keep_s=keep_s,
        dry_run=dry_run,
        lock_timeout_s=lock_timeout,
    )
    _show(session, changed)


def _show(session: Session, change: KeyChange) -> None:
    """Print a key alone on stdout, for `KEY=$(...)`; what is to be known of it goes to stderr."""
    said = key_text(change)
    if change.key:
        session.show("key", change, change.key)
        session.console.note(said)
    else:
        session.show("key", change, said)


def key_text(change: KeyChange) -> str:
    """Say what was done to a key, and never the key."""
    would = "would be" if change.dry_run else "is"
    what = {
        "made": f"The key {change.name!r} of {change.stack!r} {would} made",
        "revoked": f"The key {change.name!r} of {change.stack!r} {would} refused from now on",
        "rotated": f"The key {change.name!r} of {change.stack!r} {would} a new one",
    }[change.change]
    parts = [what]
    if change.key_file is not None:
        parts.append(f"in {change.key_file}")
    if change.change == "rotated":
        old = f"goes on until {change.until}" if change.until else "is refused from now on"
        parts.append(f"the one before it {old}")
    if change.key:
        parts.append("it is shown this once")
    if change.gateway == "not running":
        parts.append("the gateway is not running and reads it at its start")
    return "; ".join(parts) + "."
