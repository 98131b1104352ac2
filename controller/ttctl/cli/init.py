# SPDX-License-Identifier: Apache-2.0
"""`ttctl init`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ttctl.cli import options
from ttctl.cli.request import named
from ttctl.cli.session import session_of
from ttctl.cli.wiring_files import wire_project
from ttctl.model.project import Project
from ttctl.model.spec import Request
from ttctl.operations import init as operations
from ttctl.rules.stack import checked_name

app = typer.Typer(add_completion=False, rich_markup_mode=None)
MODEL = "llama"


@app.command()
def init(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="The folder.", show_default="the current one")
    ] = None,
    model: Annotated[
        str | None, typer.Argument(help="A model, or an alias.", show_default=MODEL)
    ] = None,
    *,
    name: Annotated[
        str | None,
        typer.Option(*options.NAMED, help="The stack's name [default: the folder's]."),
    ] = None,
    device: options.Device = None,
    port: options.Port = None,
    dry_run: options.DryRun = False,
) -> None:
    """Make a project folder: its settings, commented, and its lock.

    In it and below it `up`, `status`, `chat`, `down` and the others need no argument.
    """
    session = session_of(ctx)
    where = (folder or Path()).expanduser().absolute()
    where = where.resolve() if where.name in {"", ".."} else where
    files = wire_project(where, home=str(session.settings.home))
    operations.check_free(where, files)
    wanted = model or MODEL
    called = operations.name_for(session.world, where, wanted, named=name)
    request = Request(
        model=wanted,
        name=checked_name(called),
        device=device,
        port=port,
        unattended=session.console.unattended,
    )
    chosen = {"up.model": wanted, "up.name": called, "up.device": device, "up.port": port}
    # What is set elsewhere holds in the folder, too, so that its lock is made with it.
    request = named(session, _with_settings(request, session.setting))
    made = operations.init(
        session.world,
        request,
        folder=where,
        files=files,
        chosen={key: value for key, value in chosen.items() if value is not None},
        dry_run=dry_run,
    )
    made = replace(made, model=wanted)
    session.show("init", made, init_text(made))


def _with_settings(request: Request, setting: Callable[[str, object], Any]) -> Request:
    names = ("device", "port", "max_model_len", "max_num_seqs", "block_size", "image_uid")
    return replace(request, **{one: setting(f"up.{one}", getattr(request, one)) for one in names})


def init_text(made: Project) -> str:
    """Say what was written, and what to type next."""
    lines = ["Would be written:"] if made.dry_run else []
    lines += [str(made.folder / name) for name in made.files]
    if made.dry_run:
        lines += ["", made.settings.rstrip()]
    if not made.locked:
        lines += ["", f"not locked: {made.why_unlocked} The next `ttctl up` in it makes the lock."]
    into = shlex.quote(str(made.folder))
    lines += ["", f"stack  {made.stack}", f"model  {made.model}", f"start  cd {into} && ttctl up"]
    return "\n".join(lines)
