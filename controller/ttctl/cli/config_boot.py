# SPDX-License-Identifier: Apache-2.0
"""`ttctl config boot`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import session_of
from ttctl.cli.wiring_boot import wire_unit
from ttctl.errors import UsageError
from ttctl.model.boot import BootUnit
from ttctl.operations import boot_unit as operations


def boot(
    ctx: typer.Context,
    *,
    system: Annotated[
        bool,
        typer.Option(
            "--system",
            help="A unit of the system that runs as this user; root has no other.",
            show_default=False,
        ),
    ] = False,
    enable: Annotated[
        bool, typer.Option("--enable", help="Have systemctl enable it, where systemctl is.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the unit away again.")] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Write a systemd unit that brings back at a boot what was up.

    It runs `ttctl up --boot`. By default it is a unit of the user's own: stacks, keys and weights
    are that user's, and no root is needed to write it. For root, whose own units hardly run
    anywhere, it is one of the system.
    """
    if enable and remove:
        raise UsageError(
            "--enable and --remove exclude each other.",
            why="One switches on what the other takes away.",
            evidence="Nothing was changed.",
            next_step="ttctl config boot --help",
        )
    session = session_of(ctx)
    files, wish, left_out = wire_unit(session, system=system)
    if remove:
        made = operations.remove_unit(files, wish, dry_run=dry_run)
    else:
        made = operations.write_unit(files, wish, enable=enable, dry_run=dry_run, left_out=left_out)
    if dry_run and not remove:
        # On stdout the unit alone, for `| sudo tee`.
        session.show("boot-unit", made, made.text.rstrip("\n"))
        for line in unit_lines(made):
            session.console.note(line)
    else:
        session.show("boot-unit", made, "\n".join(unit_lines(made)))
    if made.failures:
        raise typer.Exit(1)


def unit_lines(made: BootUnit) -> list[str]:
    """Say what was done, what was not, and what is to be typed."""
    would = "would be" if made.dry_run else "is"
    if made.removed:
        done = f"{would} removed" if made.changed else "is not there"
    else:
        done = f"{would} written" if made.changed else "is there already, as it is wanted"
    lines = [f"{made.path} {done}."]
    lines += [f"enabled: {made.name} runs at every boot"] if made.enabled else []
    lines += [f"failed:  {one}" for one in made.failures]
    if made.left_out:
        names = ", ".join(made.left_out)
        lines.append(f"mind:    {names} will not hold at a boot; `ttctl config set` keeps a value.")
    return [*lines, *(f"next:    {one}" for one in made.commands)]
