# SPDX-License-Identifier: Apache-2.0
"""`ttctl config`."""

from __future__ import annotations

import typer

from ttctl.cli.session import session_of
from ttctl.model.site import SiteEntry
from ttctl.rules.redaction import redacted

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    help="Show the settings of this place.",
)


@app.callback()
def config(ctx: typer.Context) -> None:
    """Show the settings of this place."""
    if ctx.invoked_subcommand is None:
        site(ctx)


@app.command("site")
def site(ctx: typer.Context) -> None:
    """Show what is peculiar to this place, and where each of it was found."""
    session = session_of(ctx)
    rows = [
        (name, redacted(found.value), found.source) for name, found in session.world.site.entries()
    ]
    values = tuple(SiteEntry(name=name, value=value, source=source) for name, value, source in rows)
    text = (
        session.table(("SETTING", "VALUE", "SOURCE"), rows) if rows else "Nothing is peculiar here."
    )
    session.show("site", values, text)
