# SPDX-License-Identifier: Apache-2.0
"""`ttctl devices`: the boards, what they can make up, and whether they are fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ttctl.cli import options
from ttctl.cli.session import Session, session_of
from ttctl.operations import devices as operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.device import Board, System
    from ttctl.model.devices import BoardInfo, Demand, DevicesCheck, DevicesInfo
    from ttctl.model.telemetry import ChipReading
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
TOLD = (" means ", " is no mesh ", "not to be seen here", "without a node")
"""Evidence that is worth a line although the device is known."""
BOARDS = ("BOARD", "FAMILY", "CHIPS", "NODES", "FIRMWARE", "STATE", "HEALTH")


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
    session.show("devices", looked.system, _boards_text(session, looked))


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
    session.show("devices-info", found, _info_text(session, found, looked.system))


@app.command("check")
def check(
    ctx: typer.Context,
    *,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Also for this model; can be given several times."),
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
    found, notes = devices_check.check(session.world, looked, models or (), replay=replay)
    for note in notes:
        session.console.note(note)
    diagnosis = doctor.counted(found.checks, next_step=_next(found))
    text = f"{screen(diagnosis, session.console.out)}\n\n{_demands_text(session, found)}"
    session.show("devices-check", found, text)
    if not found.passed:
        raise typer.Exit(1)


def _looked(session: Session, device: str | None, snapshot: Path | None, *, ask: bool) -> Looked:
    wish = operations.Wish(snapshot=snapshot, device=device, ask=ask)
    looked = operations.look(session.world, wish)
    for note in looked.notes:
        session.console.note(note)
    return looked


def _machine(system: System) -> Iterator[str]:
    yield f"device   {system.device or 'not known'} ({system.reason})"
    if system.evidence and (not system.device or any(one in system.evidence for one in TOLD)):
        yield f"found    {system.evidence}"
    yield (
        f"machine  {system.cores} cores ({system.machine}), {system.memory_bytes / 2**30:.1f} GiB"
    )
    yield f"driver   {system.driver or 'none'}"
    if (one := system.topology) is not None:
        told = f"{one.source}: {one.reason}" if one.source else one.reason
        yield f"wiring   {one.kind} ({told})"


def _boards_text(session: Session, looked: Looked) -> str:
    system = looked.system
    lines = list(_machine(system))
    if one := looked.telemetry:
        lines.append(_values(one.source, one.age_s, one.taken))
    if system.boards:
        lines += ["", session.table(BOARDS, map(_row, system.boards))]
    if system.forms:
        lines += ["", session.table(("FORMS", "BOARDS", "WHY"), _forms(system))]
    return "\n".join(lines)


def _values(source: str, age_s: float | None, taken: str) -> str:
    age = f"taken {taken or 'at a moment that it does not name'}"
    return f"values   {source}, {age if age_s is None else f'{age_s:.0f} s old'}"


def _row(board: Board) -> tuple[str, ...]:
    state = f"{board.free} by {', '.join(board.holders)}" if board.holders else board.free
    health = f"{board.verdict}: {board.reasons[0]}" if board.reasons else board.verdict
    return (
        board.id,
        board.family or "-",
        str(board.chips),
        _nodes(board.nodes),
        board.firmware or "-",
        state,
        health,
    )


def _nodes(nodes: tuple[str, ...]) -> str:
    """Return `/dev/tenstorrent/0,1` for two nodes."""
    folder = nodes[0].rpartition("/")[0] if nodes else ""
    return f"{folder}/{','.join(node.rpartition('/')[2] for node in nodes)}" if nodes else "-"


def _forms(system: System) -> Iterator[tuple[str, str, str]]:
    order = {board.id: str(at) for at, board in enumerate(system.boards)}
    for formed in system.forms:
        yield formed.device, ",".join(order[board] for board in formed.boards), formed.reason


def _info_text(session: Session, found: DevicesInfo, system: System) -> str:
    lines = list(_machine(system))
    if found.source:
        lines.append(_values(found.source, found.age_s, found.taken))
    for one in found.boards:
        lines += ["", session.table(("BOARD", one.board.id), _board_rows(one))]
    return "\n".join(lines)


def _board_rows(one: BoardInfo) -> Iterator[tuple[str, str]]:
    board = one.board
    yield "family", board.family or "-"
    yield "chips", str(board.chips)
    yield "nodes", ", ".join(board.nodes) or "-"
    yield "pci", ", ".join(board.pci_addresses) or "-"
    yield "firmware", board.firmware or "-"
    yield "state", board.free
    yield "holders", ", ".join(board.holders) or "-"
    yield "health", "; ".join((board.verdict, *board.reasons))
    for at, chip in enumerate(one.chips):
        yield f"chip {at}", ", ".join(_chip(chip))


def _chip(chip: ChipReading) -> Iterator[str]:
    yield chip.pci_address or "remote"
    yield f"asic {chip.asic_id or 'not told'}"
    values = (
        ("temperature", chip.temperature_c, None, "C"),
        ("slows from", chip.throttle_c, None, "C"),
        ("off at", chip.shutdown_c, None, "C"),
        ("power", chip.power_w, chip.power_limit_w, "W"),
        ("clock", chip.clock_mhz, chip.clock_limit_mhz, "MHz"),
        ("voltage", chip.voltage_v, None, "V"),
        ("current", chip.current_a, None, "A"),
        ("fan", chip.fan_rpm, None, "rpm"),
    )
    for name, value, limit, unit in values:
        if value is not None:
            yield f"{name} {round(value, 2):g}{'' if limit is None else f' of {limit:g}'} {unit}"
    if chip.heartbeat is not None:
        beats = {True: ", beats", False: ", stands still", None: ""}[chip.beats]
        yield f"heartbeat {chip.heartbeat}{beats}"
    if chip.trips is not None:
        yield f"thermal trips {chip.trips}"
    if chip.dram_ok is not None:
        yield f"memory {'trained' if chip.dram_ok else 'not trained'}"


def _demands_text(session: Session, found: DevicesCheck) -> str:
    head = ("FOR", "MODEL", "DEVICE", "WANTS", "HOW", "MET")
    if not found.demands:
        return "No pin is in use; --model NAME judges this host by a model's."
    lines = [
        f"driver for every pin    {found.driver_wanted or 'any'}",
        f"firmware for every pin  {found.firmware_wanted or 'any'}",
    ]
    return "\n".join([*lines, "", session.table(head, map(_demand, found.demands))])


def _demand(one: Demand) -> tuple[str, ...]:
    met = {True: "ok", False: "failed" if one.strict else "warning", None: "not understood"}
    how = "strict" if one.strict else "suggested"
    return (one.who, one.model, one.device, f"{one.what} {one.specifier}", how, met[one.met])


def _next(found: DevicesCheck) -> str:
    wrong = (one.fix for one in found.checks if one.verdict == "failed" and one.fix)
    return next(wrong, "ttctl devices ls")
