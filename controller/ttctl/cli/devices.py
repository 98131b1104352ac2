# SPDX-License-Identifier: Apache-2.0
"""`ttctl devices`."""

from __future__ import annotations

import typer

from ttctl.cli.session import session_of

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List the cards of this machine.",
    invoke_without_command=True,
)


@app.callback()
def devices(ctx: typer.Context) -> None:
    """List the cards of this machine, and the device that they make up."""
    if ctx.invoked_subcommand is None:
        ls(ctx)


@app.command("ls")
def ls(ctx: typer.Context) -> None:
    """List the cards."""
    session = session_of(ctx)
    system = session.world.host.system()
    lines = [
        f"device   {system.device or 'not known'} ({system.reason})",
        f"machine  {system.cores} cores ({system.machine}), {system.memory_bytes / 2**30:.1f} GiB",
        f"driver   {system.driver or 'none'}",
    ]
    if system.chips:
        rows = [(c.node, c.card_type or "-", c.arch, c.pci_address) for c in system.chips]
        lines += ["", session.table(("NODE", "CARD", "ARCH", "PCI"), rows)]
    session.show("devices", system, "\n".join(lines))
