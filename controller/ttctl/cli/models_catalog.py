# SPDX-License-Identifier: Apache-2.0
"""The verbs of `ttctl models` that look into catalogs, fetch one, and compare two."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import model_lines as lines
from ttctl.cli import model_text as text
from ttctl.cli import options
from ttctl.cli.model_options import takes_filter
from ttctl.cli.session import Session, session_of
from ttctl.errors import UsageError
from ttctl.model.model_page import Filter
from ttctl.operations import listing


def show_models(session: Session, wanted: Filter) -> None:
    """Print the entries that a filter lets through, and which catalog they are of."""
    specs = listing.listed(session.world, wanted)
    say_origin(session)
    none = "No entry of the catalog is so."
    session.show("models", specs, lines.models_text(specs, session.console.out) or none)


def say_origin(session: Session) -> None:
    """Say on stderr which catalog is looked into, and how much of it is not used."""
    catalog = session.world.catalog
    session.console.note(text.origin_text(catalog.origin()))
    for one in catalog.quarantined():
        session.console.note(f"not used: {one.id}: {one.reason}")


@takes_filter
def search(
    ctx: typer.Context,
    *,
    words: Annotated[list[str], typer.Argument(help="Words that all have to be found.")],
    wanted: Filter,
) -> None:
    """List the models in which all words are found, else those whose names are near."""
    session = session_of(ctx)
    # What listing does without.
    from ttctl.operations import catalogs as operations  # noqa: PLC0415

    hits = operations.searched(session.world, words, wanted)
    say_origin(session)
    session.show("search", hits, lines.hits_text(hits, session.console.out))


def show(
    ctx: typer.Context,
    *,
    model: options.Model,
    device: options.Device = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Also the entry as its source has it, every key.")
    ] = False,
    delta: Annotated[
        bool, typer.Option("--delta", help="Also what later releases changed for this image.")
    ] = False,
) -> None:
    """Show one entry of the catalog: what it is, needs and promises, and how it stands here."""
    session = session_of(ctx)
    # What listing does without.
    from ttctl.operations import catalogs as operations  # noqa: PLC0415

    page = operations.page(session.world, model, device=device, delta=delta, raw=raw)
    rows = [(key, value) for key, value in text.page_rows(page) if value]
    parts = [session.table(("KEY", "VALUE"), rows)]
    if delta:
        changed = text.delta_rows(page.delta)
        head = ("KIND", "NAME", "FIRST VALIDATED", "LATEST")
        parts.append(session.table(head, changed) if changed else "Nothing changed since.")
    if raw:
        parts.append(page.raw)
    session.show("model-page", page, "\n\n".join(parts))


def diff(
    ctx: typer.Context,
    *,
    before: Annotated[
        str, typer.Argument(help="A catalog: built-in, a release, a file, an address.")
    ],
    after: Annotated[
        str | None, typer.Argument(help="Another one; without it, the one in use.")
    ] = None,
) -> None:
    """Compare two catalogs that are here: what came, what went, and which facts moved."""
    session = session_of(ctx)
    # What listing does without.
    from ttctl.cli import diff_text  # noqa: PLC0415
    from ttctl.operations import catalogs as operations  # noqa: PLC0415

    found = operations.differences(session.world, before, after)
    rows = diff_text.diff_rows(found)
    table = session.table(diff_text.COLUMNS, rows)
    head = diff_text.diff_head(found)
    session.show("catalog-diff", found, f"{head}\n\n{table}" if rows else head)


def refresh(
    ctx: typer.Context,
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            help="A release, a file, an address, or a mirror's (ends with /) "
            "[default: upstream's newest release]."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--refresh", help="Ask again, however young the copy is.")
    ] = False,
    built_in: Annotated[
        bool, typer.Option("--built-in", help="Go back to the catalog that is shipped.")
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Fetch a catalog, and use it from now on.

    It comes encrypted, is checked as a whole, and is not asked for again for an hour.
    """
    session = session_of(ctx)
    if built_in and source is not None:
        raise UsageError(
            "Two catalogs are named.",
            why="--built-in goes back to the catalog that is shipped, and takes no other.",
            evidence=f"Typed: {source} and --built-in.",
            next_step=f"ttctl models refresh {source}",
        )
    name = "built-in" if built_in else source
    told = session.world.catalogs.refresh(name, force=again, dry_run=dry_run)
    session.show("catalog", told, text.refreshed_text(told))
    if told.failure:
        session.console.note(told.failure)
        raise typer.Exit(told.exit_code)
