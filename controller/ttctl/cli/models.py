# SPDX-License-Identifier: Apache-2.0
"""`ttctl models`."""

from __future__ import annotations

import typer

from ttctl.cli import options
from ttctl.cli.session import session_of
from ttctl.rules.resolve import known, resolve

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List and show the models of the catalog.",
    invoke_without_command=True,
)


@app.callback()
def models(ctx: typer.Context) -> None:
    """List the models where no other verb is given."""
    if ctx.invoked_subcommand is None:
        ls(ctx)


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
    session.show("models", specs, session.table(head, rows))


@app.command("show")
def show(
    ctx: typer.Context,
    *,
    model: options.Model,
    device: options.Device = None,
) -> None:
    """Show one entry of the catalog."""
    session = session_of(ctx)
    named = known(session.world.catalog.specs(), model)
    spec = resolve(named, model=model, device=device or named[0].device)
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
    session.show("model", spec, session.table(("KEY", "VALUE"), rows))
