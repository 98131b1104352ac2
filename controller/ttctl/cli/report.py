# SPDX-License-Identifier: Apache-2.0
"""`ttctl report`."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttctl.cli import options
from ttctl.cli.chosen import stack_word
from ttctl.cli.session import session_of
from ttctl.cli.wiring_report import WiredReport
from ttctl.operations import report as operations

if TYPE_CHECKING:
    from ttctl.model.report import Report

app = typer.Typer(add_completion=False, rich_markup_mode=None)


Stack = Annotated[
    str | None,
    typer.Argument(
        help="A stack, or a model that is not up yet [default: the folder's project, else all]."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The archive to write.",
        show_default="ttctl-report-TIME.tar.gz here",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file of this name.")]
Dry = Annotated[
    bool, typer.Option("--dry-run", help="List what would be in it, and write nothing.")
]


@app.command()
def report(
    ctx: typer.Context,
    *,
    stack: Stack = None,
    project: options.Project = None,
    output: Output = None,
    force: Force = False,
    dry_run: Dry = False,
) -> None:
    """Write an archive of what helps to find out what is wrong.

    Keys, tokens, passwords, the user's name, the home folder and the host's name are taken out.
    """
    session = session_of(ctx)
    stack = stack_word(session, stack, project)
    place = WiredReport(session)
    file = output or Path(time.strftime("ttctl-report-%Y%m%dT%H%M%SZ.tar.gz", time.gmtime()))
    again = _again(stack, output, force=force)
    console = session.console
    if not dry_run:
        place.check(file, force=force)
        if console.unattended:
            # Refused before anything is gathered: nobody could be asked.
            console.agrees(_question(file), next_step=again)
    with session.world.reporter.step("Gather the report"):
        found = operations.gather(
            session.world,
            session.offline_world,
            place,
            stack,
            model=str(session.setting("up.model") or ""),
        )
    made = found.report(file)
    if dry_run:
        session.show("report", made, "\n".join(["Would be in it:", *_listed(made)]))
        return
    for line in _listed(made):
        console.note(line)
    if not console.agrees(_question(file), next_step=again):
        session.show("report", made, "Nothing was written.")
        return
    made = operations.write(found, place, file, force=force)
    session.show("report", made, "\n".join(_done(made)))


def _question(file: Path) -> str:
    return f"Write these to {file}? Nothing is sent anywhere."


def _again(stack: str | None, output: Path | None, *, force: bool) -> str:
    words = [*([stack] if stack else []), *(["-o", str(output)] if output else [])]
    return shlex.join(["ttctl", "report", *words, *(["--force"] if force else []), "--yes"])


def _listed(made: Report) -> list[str]:
    return [f"  {line}" for line in operations.listing(made)]


def _done(made: Report) -> list[str]:
    name, count = shlex.quote(str(made.file)), len(made.parts)
    lines = [f"{made.file}: {count} files, {made.size_bytes} bytes, readable by you alone"]
    lines += [f"not had   {one.name}: {one.why}" for one in made.failed]
    lines.append(f"look      tar -xOzf {name} ttctl-report/README.txt")
    return [*lines, f"list      tar -tzf {name}"]
