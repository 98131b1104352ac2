# SPDX-License-Identifier: Apache-2.0
"""How boards are laid out for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.cli.session import Session
    from ttctl.model.device import Board, System
    from ttctl.model.devices import BoardInfo, Demand, DevicesCheck, DevicesInfo
    from ttctl.model.telemetry import ChipReading
    from ttctl.operations.devices import Looked

TOLD = (" means ", " is no mesh ", "not to be seen here", "without a node")
"""Evidence that is worth a line although the device is known."""
BOARDS = ("BOARD", "FAMILY", "CHIPS", "NODES", "FIRMWARE", "STATE", "HEALTH")


def _machine(system: System) -> Iterator[str]:
    yield f"device   {system.device or 'not known'} ({system.reason})"
    if system.evidence and (not system.device or any(one in system.evidence for one in TOLD)):
        yield f"found    {system.evidence}"
    memory = f"{system.memory_bytes / 2**30:.1f} GiB"
    if system.replayed:
        yield f"machine  the snapshot's, {memory if system.memory_bytes else 'memory not told'}"
    else:
        yield f"machine  {system.cores} cores ({system.machine}), {memory}"
    yield f"driver   {system.driver or 'none'}"
    if (one := system.topology) is not None:
        told = f"{one.source}: {one.reason}" if one.source else one.reason
        yield f"wiring   {one.kind} ({told})"


def boards_text(session: Session, looked: Looked) -> str:
    """Return the machine, its boards, and what they can make up."""
    system = looked.system
    lines = list(_machine(system))
    if one := looked.telemetry:
        lines.append(_values(one.source, one.age_s, one.taken))
    if system.boards:
        lines += ["", session.table(BOARDS, map(_row, system.boards))]
    lines += [f"board {one.id} needs a reset: {one.dirty}" for one in system.boards if one.dirty]
    if system.forms:
        lines += ["", session.table(("FORMS", "BOARDS", "WHY"), _forms(system))]
    return "\n".join(lines)


def _values(source: str, age_s: float | None, taken: str) -> str:
    age = f"taken {taken or 'at a moment that it does not name'}"
    return f"values   {source}, {age if age_s is None else f'{age_s:.0f} s old'}"


def _row(board: Board) -> tuple[str, ...]:
    state = f"{board.free} by {', '.join(board.holders)}" if board.holders else board.free
    if board.dirty:
        state = f"{state}, needs a reset"
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


def info_text(session: Session, found: DevicesInfo, system: System) -> str:
    """Return everything of each board."""
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
    if board.dirty:
        yield "needs a reset", board.dirty
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


def demands_text(session: Session, found: DevicesCheck) -> str:
    """Return what the pins ask of this host, and whether they get it."""
    head = ("FOR", "MODEL", "DEVICE", "WANTS", "HOW", "MET")
    if not found.demands:
        return "No pin in use asks for a version; --model NAME judges this host by a model's."
    lines = [
        f"driver for every pin    {found.driver_wanted or 'any'}",
        f"firmware for every pin  {found.firmware_wanted or 'any'}",
    ]
    rows = [demand_row(one, found) for one in found.demands]
    return "\n".join([*lines, "", session.table(head, rows)])


def demand_row(one: Demand, found: DevicesCheck) -> tuple[str, ...]:
    """Return a demand and whether it is met: without a version to hold against it nobody knows."""
    told = found.driver if one.what == "driver" else found.firmware
    unread = "not understood" if told else "unknown"
    met = {True: "ok", False: "failed" if one.strict else "warning", None: unread}
    how = "strict" if one.strict else "suggested"
    return (one.who, one.model, one.device, f"{one.what} {one.specifier}", how, met[one.met])
