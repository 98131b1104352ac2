# SPDX-License-Identifier: Apache-2.0
"""`ttctl models`: what the catalog lists, and the weights that are here."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import models_catalog as catalogs
from ttctl.cli import options
from ttctl.cli.model_options import takes_filter
from ttctl.cli.request import takes_request
from ttctl.cli.session import session_of
from ttctl.errors import BadFileError
from ttctl.model.model_page import Filter
from ttctl.model.spec import Request
from ttctl.model.weights import Snapshot
from ttctl.operations import weights

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List the models of the catalog, and look after their weights.",
    invoke_without_command=True,
)

Cached = Annotated[str | None, typer.Argument(help="A model or a repository; without it, all.")]
SNAPSHOT = ("REPOSITORY", "REVISION", "FILES", "SIZE")


@app.callback()
def models(ctx: typer.Context) -> None:
    """List the models where no other verb is given."""
    if ctx.invoked_subcommand is None:
        ls(ctx)


@app.command("ls")
@app.command("list", hidden=True)
@takes_filter
def ls(
    ctx: typer.Context,
    *,
    wanted: Filter,
    cached: Annotated[
        bool, typer.Option("--cached", help="The weights that are here, in place of the catalog.")
    ] = False,
) -> None:
    """List the models of the catalog by family, or the weights that are here."""
    session = session_of(ctx)
    if cached:
        here = weights.cached(session.world)
        text = session.table(SNAPSHOT, map(_snapshot_row, here))
        session.show("weights", here, text if here else "No weights are here.")
        return
    catalogs.show_models(session, wanted)


app.command("search")(catalogs.search)
app.command("show")(catalogs.show)
app.command("diff")(catalogs.diff)
app.command("refresh")(catalogs.refresh)


@app.command("pull")
@takes_request
def pull(ctx: typer.Context, *, request: Request, dry_run: options.DryRun = False) -> None:
    """Fetch a model's weights and verify them, and start nothing."""
    session = session_of(ctx)
    # All that a plan knows, which listing models does without.
    from ttctl.cli.plan_text import plan_text  # noqa: PLC0415
    from ttctl.operations import fetch  # noqa: PLC0415

    if dry_run:
        _, steps = fetch.plan_pull(session.world, request)
        session.show("plan", steps, plan_text(steps, session.console.out))
        return
    got = fetch.pull(session.world, request)
    state = "fetched and verified" if got.changed else "here already, nothing was fetched"
    lines = [
        f"{got.repository} {got.revision}".rstrip() + f": {state}",
        f"why      {got.reason}",
        f"files    {got.files}, {got.size_bytes / 1e6:.1f} MB",
        f"folder   {got.folder}",
    ]
    session.show("pull", got, "\n".join(lines))


@app.command("verify")
def verify(ctx: typer.Context, *, model: Cached = None) -> None:
    """Read weights and compare them with their hashes."""
    session = session_of(ctx)
    verdicts = weights.verify(session.world, model)
    rows = [(*_snapshot_row(one.snapshot), _state(one.damaged)) for one in verdicts]
    text = session.table((*SNAPSHOT, "STATE"), rows)
    session.show("verify", verdicts, text if rows else "No weights are here.")
    if wrong := [one.snapshot.repository for one in verdicts if one.damaged]:
        session.console.note(f"to put it right: ttctl models rm {wrong[0]}, then pull it again")
        raise typer.Exit(BadFileError.exit_code)


@app.command("rm")
def rm(
    ctx: typer.Context,
    *,
    model: Annotated[str, typer.Argument(help="A model or a repository.")],
    dry_run: options.DryRun = False,
) -> None:
    """Remove a model's weights from the cache; asks first."""
    session = session_of(ctx)
    snapshots = weights.to_remove(session.world, model)
    size = sum(one.size_bytes for one in snapshots)
    if dry_run:
        text = session.table(SNAPSHOT, map(_snapshot_row, snapshots))
        session.show("weights", snapshots, f"Would remove {size / 1e6:.1f} MB:\n{text}")
        return
    question = f"Remove {len(snapshots)} snapshot(s) of {model}, {size / 1e6:.1f} MB?"
    agreed = session.console.agrees(question, next_step=f"ttctl models rm {model} --yes")
    if agreed:
        weights.remove(session.world, snapshots)
    text = f"Removed {size / 1e6:.1f} MB." if agreed else "Nothing was removed."
    session.show("weights", snapshots if agreed else (), text)


def _state(damaged: tuple[str, ...]) -> str:
    return f"damaged: {', '.join(damaged)}" if damaged else "whole"


def _snapshot_row(one: Snapshot) -> tuple[str, ...]:
    revision = f"{one.revision[:12]} (shipped)" if one.shipped else one.revision[:12]
    return (one.repository, revision, str(one.files), f"{one.size_bytes / 1e6:.1f} MB")
