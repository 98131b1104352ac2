# SPDX-License-Identifier: Apache-2.0
"""`ttctl devices`: the boards, what they can make up, and whether they are fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttctl.cli import devices_reset, options
from ttctl.cli.device_text import boards_text, demands_text, info_text
from ttctl.cli.session import Session, session_of
from ttctl.operations import devices as operations

if TYPE_CHECKING:
    from ttctl.model.devices import DevicesCheck
    from ttctl.operations.devices import Looked

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List the cards of this machine.",
    invoke_without_command=True,
)

Snapshot = Annotated[
    Path | None,
    typer.Option(
        "--tt-smi-snapshot",
        metavar="FILE",
        help="A file that `tt-smi -s` wrote, in place of calling it.",
    ),
]


@app.callback()
def devices(ctx: typer.Context) -> None:
    """List the cards of this machine, and the device that they make up."""
    if ctx.invoked_subcommand is None:
        ls(ctx)


@app.command("ls")
def ls(ctx: typer.Context, *, device: options.Device = None, snapshot: Snapshot = None) -> None:
    """List the boards, and every device that they can make up."""
    session = session_of(ctx)
    looked = _looked(session, device, snapshot, ask=False)
    session.show("devices", looked.system, boards_text(session, looked))


@app.command("info")
def info(
    ctx: typer.Context,
    *,
    board: Annotated[
        str | None, typer.Argument(help="A board's number, node or PCI address [default: all].")
    ] = None,
    device: options.Device = None,
    snapshot: Snapshot = None,
) -> None:
    """Show everything of one board or of all: identity, telemetry, limits, users, health."""
    session = session_of(ctx)
    looked = _looked(session, device, snapshot, ask=True)
    found = operations.info(looked, board)
    session.show("devices-info", found, info_text(session, found, looked.system))


@app.command("check")
def check(
    ctx: typer.Context,
    *,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Also for this model; can be given several times."),
    ] = None,
    boards: Annotated[
        list[str] | None,
        typer.Option("--board", help="Only this board; may be given again.", show_default="all"),
    ] = None,
    device: options.Device = None,
    snapshot: Snapshot = None,
) -> None:
    """Check driver, firmware and host against every pin in use; exit with 1 if one is unmet."""
    session = session_of(ctx)
    # What judges: listing does without it.
    from ttctl.cli.doctor import screen  # noqa: PLC0415
    from ttctl.operations import devices_check, doctor  # noqa: PLC0415

    looked = _looked(session, device, snapshot, ask=True)
    replay = bool(snapshot) and not session.world.host.system().boards
    found, notes = devices_check.check(
        session.world, looked, models or (), asked=boards or (), replay=replay
    )
    for note in notes:
        session.console.note(note)
    diagnosis = doctor.counted(found.checks, next_step=_next(found))
    text = f"{screen(diagnosis, session.console.out)}\n\n{demands_text(session, found)}"
    session.show("devices-check", found, text)
    if not found.passed:
        raise typer.Exit(1)


app.command("reset")(devices_reset.reset)
app.command("clear")(devices_reset.clear)


def _looked(session: Session, device: str | None, snapshot: Path | None, *, ask: bool) -> Looked:
    wish = operations.Wish(snapshot=snapshot, device=device, ask=ask)
    looked = operations.look(session.world, wish)
    for note in looked.notes:
        session.console.note(note)
    return looked


def _next(found: DevicesCheck) -> str:
    wrong = (one.fix for one in found.checks if one.verdict == "failed" and one.fix)
    return next(wrong, "ttctl devices ls")
