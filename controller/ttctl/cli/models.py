# SPDX-License-Identifier: Apache-2.0
"""`ttctl models`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import session_of
from ttctl.cli.table import table
from ttctl.rules.resolve import resolve

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="List and show the models of the catalog.",
)


@app.command("ls")
@app.command("list", hidden=True)
def ls(ctx: typer.Context, *, device: options.Device = None) -> None:
    """List the models."""
    session = session_of(ctx)
    specs = [s for s in session.world.catalog.specs() if device in {None, s.device}]
    rows = [
        (
            spec.model,
            ", ".join(spec.aliases) or "-",
            spec.device,
            spec.status,
            f"{spec.weights.size_bytes / 1e6:.0f} MB",
            spec.license,
        )
        for spec in specs
    ]
    head = ("MODEL", "ALIASES", "DEVICE", "STATUS", "WEIGHTS", "LICENSE")
    session.show("models", specs, table(head, rows))


@app.command("show")
def show(
    ctx: typer.Context,
    *,
    model: options.Model,
    device: Annotated[str, typer.Option("--device", help="Device type.")] = "cpu",
) -> None:
    """Show one entry of the catalog."""
    session = session_of(ctx)
    spec = resolve(session.world.catalog.specs(), model=model, device=device)
    arguments = " ".join(f"--{name} {value}".rstrip() for name, value in spec.engine_args)
    rows = [
        ("model", spec.model),
        ("description", spec.description),
        ("device", spec.device),
        ("engine", f"{spec.engine}, image {spec.image}"),
        ("weights", f"{spec.weights.kind} {spec.weights.repository}"),
        ("revision", spec.weights.revision or "unresolved until locked"),
        ("max-model-len", str(spec.limits.max_model_len)),
        ("max-num-seqs", str(spec.limits.max_num_seqs)),
        ("block-size", str(spec.limits.block_size)),
        ("arguments", arguments),
        ("memory", f"{spec.memory_mib} MiB"),
        ("status", spec.status),
        ("license", spec.license),
        ("stand-in", spec.offline_model or "none"),
        ("source", spec.source),
    ]
    session.show("model", spec, table(("KEY", "VALUE"), rows))
