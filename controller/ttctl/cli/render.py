# SPDX-License-Identifier: Apache-2.0
"""`ttctl render`."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.plan_text import override_lines
from ttctl.cli.request import takes_request
from ttctl.cli.session import session_of
from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.render_hosts import HOSTS_PAGE
from ttctl.rules import prepare_script
from ttctl.rules.renderings import COMPOSE, FORMS

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _known_forms(given: list[str] | None) -> list[str] | None:
    unknown = next((word for word in given or () if word not in FORMS), None)
    if unknown is None:
        return given
    near = get_close_matches(unknown, FORMS, n=1)
    raise UsageError(
        f"There is no form {unknown!r}.",
        why="A stack is rendered to what starts it.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Known: {', '.join(FORMS)}.",
        next_step="ttctl render --help",
        mistyped=unknown,
        meant=near[0] if near else "",
    )


@app.command()
@takes_request
def render(
    ctx: typer.Context,
    *,
    request: Request,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            help="The form: compose, run (docker run) or quadlet (podman); may be given again.",
            show_default="compose",
            callback=_known_forms,
        ),
    ] = None,
    unlocked: Annotated[
        bool,
        typer.Option("--unlocked", help="Ask no hub and no registry; leave open what they know."),
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Write a folder that docker or podman can run without ttctl."""
    session = session_of(ctx)
    forms = tuple(form for form in FORMS if form in (to or COMPOSE))
    made = operations.render(
        session.world, request, output=output, forms=forms, unlocked=unlocked, dry_run=dry_run
    )
    for line in override_lines(made.override):
        session.console.note(line)
    if first := before_a_start(made):
        session.console.note(first)
    head = ["Would be written:"] if dry_run else []
    session.show("render", made, "\n".join([*head, *(str(made.folder / n) for n in made.files)]))


def before_a_start(made: operations.Rendered) -> str:
    """Return what comes before the first start of a folder; nothing where nothing does."""
    if HOSTS_PAGE in made.files:
        # The script of the first host is one step of several, on several hosts.
        return f"before its first start: read {quote(str(made.folder / HOSTS_PAGE))}"
    if prepare_script.NAME in made.files:
        return f"before its first start: sh {quote(str(made.folder / prepare_script.NAME))}"
    return ""
