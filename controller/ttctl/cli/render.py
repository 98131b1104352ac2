# SPDX-License-Identifier: Apache-2.0
"""`ttctl render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import session_of
from ttctl.model.spec import Request
from ttctl.operations import plan as operations

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
@options.takes_request
def render(
    ctx: typer.Context,
    *,
    request: Request,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    dry_run: options.DryRun = False,
) -> None:
    """Write a folder that plain docker compose can run."""
    session = session_of(ctx)
    made = operations.render(session.world, request, output=output, dry_run=dry_run)
    head = ["Would be written:"] if dry_run else []
    session.show("render", made, "\n".join([*head, *(str(made.folder / n) for n in made.files)]))
