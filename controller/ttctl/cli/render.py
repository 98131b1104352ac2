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

app = typer.Typer(add_completion=False)


@app.command()
def render(
    ctx: typer.Context,
    *,
    model: options.Model,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    name: options.Name = None,
    device: options.Device = None,
    port: options.Port = None,
    max_model_len: options.MaxModelLen = None,
    max_num_seqs: options.MaxNumSeqs = None,
    block_size: options.BlockSize = None,
) -> None:
    """Write a folder that plain docker compose can run."""
    session = session_of(ctx)
    request = Request(
        model=model,
        name=name,
        device=device,
        port=port,
        max_model_len=max_model_len,
        max_num_seqs=max_num_seqs,
        block_size=block_size,
    )
    folder, names = operations.render(session.world, request, output=output)
    text = "\n".join(str(folder / name) for name in names)
    session.show("render", {"folder": folder, "files": names}, text)
