# SPDX-License-Identifier: Apache-2.0
"""`ttctl eject`."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.request import named
from ttctl.cli.session import session_of
from ttctl.errors import UsageError
from ttctl.operations import eject as operations
from ttctl.operations.ejected_of import request_of
from ttctl.rules.eject import SERVICES, service_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _known_service(word: str) -> str:
    service = service_of(word)
    if service in SERVICES:
        return service
    near = get_close_matches(word, SERVICES, n=1)
    raise UsageError(
        f"There is no service {word!r}.",
        why="A service is one container of a stack.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Known: {', '.join(SERVICES)}.",
        next_step="ttctl eject --help",
        mistyped=word,
        meant=near[0] if near else "",
    )


@app.command()
def eject(
    ctx: typer.Context,
    service: Annotated[
        str,
        typer.Argument(help=f"One of {', '.join(SERVICES)}.", callback=_known_service),
    ],
    model: Annotated[
        str | None,
        typer.Argument(help="The model, or its stack.", show_default="sd for sd, else llama"),
    ] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    name: options.Name = None,
    device: options.Device = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Move an earlier ejected one aside, and write anew."),
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Write a service's source, Dockerfile and compose file to edit.

    The folder is yours from then on. `ttctl up --from FOLDER` runs what you made of it.
    """
    session = session_of(ctx)
    request = request_of(session.world, service, model=model, name=name, device=device)
    if session.named_stack(request.model):
        # It has its services already, and an engine that they stand beside.
        request = named(session, replace(request, engine=None, services=None))
    request = replace(request, unattended=session.console.unattended)
    made = operations.eject(
        session.world, request, service=service, output=output, force=force, dry_run=dry_run
    )
    session.show("eject", made, eject_text(made, dry_run=dry_run))


def eject_text(made: operations.Ejection, *, dry_run: bool) -> str:
    """Say what was written, and how it is run."""
    lines = ["Would be written:"] if dry_run else []
    lines += [str(made.folder / name) for name in made.files]
    if made.before is not None:
        lines += ["", f"the earlier one is now {made.before}"]
    return "\n".join([*lines, "", f"edit   {made.folder / 'src'}", f"run    {made.command}"])
