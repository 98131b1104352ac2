# SPDX-License-Identifier: Apache-2.0
"""`ttctl diff`."""

from __future__ import annotations

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.generation_text import difference_text
from ttctl.cli.session import session_of
from ttctl.cli.upgrade import looked
from ttctl.model.plan import AS_NEEDED

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def diff(
    ctx: typer.Context, *, stack: options.Stack = None, project: options.Project = None
) -> None:
    """Show what `upgrade` would change.

    Values of the lock, and lines of rendered files; nothing is changed.
    """
    session = session_of(ctx)
    stack = stack_word(session, stack, project)
    found = looked(session, stack, AS_NEEDED).difference
    text = difference_text(found, session.console.out)
    none = f"{found.stack}: nothing, it is as it would be resolved now"
    session.show("diff", found, none if found.is_empty else text)
