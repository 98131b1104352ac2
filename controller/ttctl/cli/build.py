# SPDX-License-Identifier: Apache-2.0
"""`ttctl build`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.plan_text import plan_text
from ttctl.cli.request import takes_request
from ttctl.cli.session import session_of
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations import fetch as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@takes_request
def build(
    ctx: typer.Context,
    *,
    request: Request,
    again: Annotated[
        bool, typer.Option("--again", help="Build what is here too; unchanged steps are cached.")
    ] = False,
    pull: options.Pull = "missing",
    dry_run: options.DryRun = False,
) -> None:
    """Get the images that a model's stack uses, and start nothing."""
    session = session_of(ctx)
    how = How(build=again, build_word="--again", pull=pull)
    if dry_run:
        _, steps = operations.plan_build(session.world, request, how=how)
        session.show("plan", steps, plan_text(steps, session.console.out))
        return
    made = operations.build(session.world, request, how=how)
    rows = [(image.name, image.done, image.reference) for image in made.images]
    session.show("build", made, session.table(("IMAGE", "DONE", "REFERENCE"), rows))
