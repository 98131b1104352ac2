# SPDX-License-Identifier: Apache-2.0
"""`ttctl models`: what the catalog lists, and the weights that are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ttctl.cli import models_catalog as catalogs
from ttctl.cli import options
from ttctl.cli.model_options import takes_filter
from ttctl.cli.request import takes_weights
from ttctl.cli.session import session_of
from ttctl.errors import BadFileError
from ttctl.model.model_page import Filter
from ttctl.model.spec import Request
from ttctl.model.weights import Snapshot
from ttctl.operations import weights
from ttctl.rules.supply_text import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.cli.session import Session
    from ttctl.model.weights import Verdict

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List the models of the catalog, and look after their weights.",
    invoke_without_command=True,
)

Cached = Annotated[str | None, typer.Argument(help="A model or a repository; without it, all.")]
SNAPSHOT = ("REPOSITORY", "REVISION", "FILES", "SIZE", "PLACE")
PLACES = {"ttctl": "ttctl", "hub cache": "the hub's cache"}


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
    size: Annotated[
        bool,
        typer.Option("--size", help="As --cached, the largest first, with the free room."),
    ] = False,
) -> None:
    """List the models of the catalog by family, or the weights that are here."""
    session = session_of(ctx)
    if cached or size:
        here = weights.by_size(session.world) if size else weights.cached(session.world)
        text = session.table(SNAPSHOT, map(_snapshot_row, here))
        more = f"\n{_sum_text(session, here)}" if size else ""
        session.show("weights", here, f"{text}{more}" if here else "No weights are here.")
        return
    catalogs.show_models(session, wanted)


app.command("search")(catalogs.search)
app.command("show")(catalogs.show)
app.command("diff")(catalogs.diff)
app.command("refresh")(catalogs.refresh)


@app.command("pull")
@takes_weights
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
        f"fetched  {got.fetched_bytes:,} bytes",
        f"folder   {got.folder}",
        f"free     {got.free_bytes / 1e9:.1f} GB",
    ]
    if got.unproven:
        lines.append(f"mind     nobody told the hash of {', '.join(got.unproven)}")
    session.show("pull", got, "\n".join(lines))


@app.command("verify")
def verify(
    ctx: typer.Context,
    *,
    model: Cached = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Read only files that changed since they were read."),
    ] = False,
) -> None:
    """Read weights and compare them with their hashes."""
    session = session_of(ctx)
    verdicts = weights.verify(session.world, model, quick=quick)
    rows = [(*_snapshot_row(one.snapshot), _state(one)) for one in verdicts]
    text = session.table((*SNAPSHOT, "STATE"), rows)
    session.show("verify", verdicts, text if rows else "No weights are here.")
    if wrong := [one.snapshot for one in verdicts if one.damaged]:
        first = wrong[0]
        own = f"ttctl models rm {first.repository}, then pull it again"
        others = f"replace the files in {first.folder}; ttctl takes none that are damaged"
        session.console.note(f"to put it right: {own if first.keeper == 'ttctl' else others}")
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
    shared = sum(one.shared_bytes for one in snapshots)
    size = sum(one.size_bytes for one in snapshots) - shared
    stays = f"\n{shared / 1e6:.1f} MB stay: the hub's cache has those files, too." if shared else ""
    if dry_run:
        text = session.table(SNAPSHOT, map(_snapshot_row, snapshots))
        session.show("weights", snapshots, f"Would remove {size / 1e6:.1f} MB:\n{text}{stays}")
        return
    question = f"Remove {len(snapshots)} snapshot(s) of {model}, {size / 1e6:.1f} MB?"
    agreed = session.console.agrees(question, next_step=f"ttctl models rm {model} --yes")
    if agreed:
        weights.remove(session.world, snapshots)
    text = f"Removed {size / 1e6:.1f} MB.{stays}" if agreed else "Nothing was removed."
    session.show("weights", snapshots if agreed else (), text)


def _state(one: Verdict) -> str:
    if one.damaged:
        return f"damaged: {', '.join(one.damaged)}"
    if one.unproven:
        return f"read; not provable: {', '.join(one.unproven)}"
    return "whole"


def _sum_text(session: Session, here: Sequence[Snapshot]) -> str:
    """Say what ttctl's own take together, and what is free beside them."""
    own = sum(one.size_bytes for one in here if one.keeper == "ttctl")
    cache = session.world.cache
    free = session.world.host.free_bytes(cache)
    return f"{size_text(own)} are ttctl's own; {size_text(free)} are free in {cache}"


def _snapshot_row(one: Snapshot) -> tuple[str, ...]:
    revision = f"{one.revision[:12]} (shipped)" if one.shipped else one.revision[:12]
    size = f"{one.size_bytes / 1e6:.1f} MB"
    place = {"ttctl": "ttctl", "hub cache": "the hub's cache", "folder": str(one.folder)}[
        one.keeper
    ]
    return (one.repository, revision, str(one.files), size, place)
