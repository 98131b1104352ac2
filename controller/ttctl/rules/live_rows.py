# SPDX-License-Identifier: Apache-2.0
"""What does each row of a live screen say in so many columns and rows? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.live_text import (
    GAP,
    NOTHING,
    Column,
    Line,
    count_text,
    done_text,
    memory_text,
    plain,
    rate_text,
    shortened,
    table,
    time_text,
    unit_text,
    wide,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.model.live import Doing, LiveBoard, LiveEvent, LiveFrame, LiveService, LiveStack

NARROWEST = 20
"""Columns below which nothing is laid out any more."""
BOARDS = (
    Column(head="BOARD", worth=9),
    Column(head="FAMILY", worth=2),
    Column(head="HEALTH", worth=8, mark="state"),
    Column(head="TEMP", worth=7, right=True),
    Column(head="POWER", worth=6, right=True),
    Column(head="CLOCK", worth=3, right=True),
    Column(head="HOLDER", worth=5),
)
SERVICES = (
    Column(head="SERVICE", worth=9),
    Column(head="STATE", worth=9, mark="state"),
    Column(head="UP", worth=3, right=True),
    Column(head="REQS", worth=1, right=True),
    Column(head="REQ/S", worth=7, right=True),
    Column(head="TOK/S", worth=8, right=True),
    Column(head="RUN", worth=2, right=True),
    Column(head="WAIT", worth=5, right=True),
    Column(head="MEMORY", worth=6, right=True),
)
HELD = 24
"""Columns of who holds a board that are shown; all of it stands in `devices ls`."""
MOST_EVENTS = 8

Block = tuple[Line, ...]


def rows(
    frame: LiveFrame,
    *,
    width: int,
    height: int | None,
    clock: Callable[[float], str],
    ending: str = "",
) -> tuple[Line, ...]:
    """Return the lines of a frame.

    Args:
        frame: What is shown.
        width: Columns that there are.
        height: Rows that there are, None where there is no end.
        clock: Says a Unix time as people read it.
        ending: Stands behind the time.
    """
    width = max(NARROWEST, width)
    blocks = [
        _title(frame, width, clock=clock, ending=ending),
        _boards(frame, width),
        _stacks(frame, width),
        _doing(frame, width),
        _sources(frame, width),
    ]
    events = _events(frame.events, width, clock=clock)
    if height is None:
        return _joined([*blocks, events])
    return _fitted(blocks, events, height)


def _fitted(blocks: Sequence[Block], events: Block, height: int) -> tuple[Line, ...]:
    """Leave out the oldest events first, then what does not fit, and say how much that is."""
    upper = _joined(blocks)
    room = height - len(upper) - 1
    if events and room > 1:
        return _joined([upper, (events[0], *events[1:][-(room - 1) :])])
    if len(upper) <= height:
        return upper
    left = len(upper) - height + 1
    return (*upper[: height - 1], ((f"{left} more lines: a larger window shows them", "dim"),))


def _joined(blocks: Sequence[Block]) -> tuple[Line, ...]:
    """Return blocks with an empty line between them; those without a line are left out."""
    lines: list[Line] = []
    for block in blocks:
        if block and lines:
            lines.append(())
        lines += block
    return tuple(lines)


def _title(frame: LiveFrame, width: int, *, clock: Callable[[float], str], ending: str) -> Block:
    parts = ["ttctl status", clock(frame.at), *([ending] if ending else [])]
    while wide(GAP.join(parts)) > width and len(parts) > 1:
        parts.pop()
    return (((parts[0], "accent"), *((GAP + part, "dim") for part in parts[1:])),)


def _boards(frame: LiveFrame, width: int) -> Block:
    if not frame.boards:
        known = any(one.name == "chips" and one.state != "unknown" for one in frame.sources)
        return ((("boards  none", "dim"),),) if known else ()
    return table(BOARDS, [_board(one) for one in frame.boards], width)


def _board(one: LiveBoard) -> tuple[str, ...]:
    return (
        one.name,
        one.family or NOTHING,
        one.health,
        unit_text(one.temperature_c, "C"),
        unit_text(one.power_w, "W"),
        unit_text(one.clock_mhz, "MHz"),
        shortened(", ".join(one.holders), HELD) or one.free,
    )


def _stacks(frame: LiveFrame, width: int) -> Block:
    if not frame.stacks:
        return ((("no stack yet: ttctl up llama", "dim"),),)
    body: list[Line | tuple[str, ...]] = []
    for stack in frame.stacks:
        body.append(_heading(stack, width))
        body += [_service(one) for one in stack.services]
    return table(SERVICES, body, width)


def _heading(stack: LiveStack, width: int) -> Line:
    """Return a stack's name and state, with as much of what it is as fits in whole words."""
    room = width - wide(stack.state) - len(GAP)
    name = shortened(stack.stack, max(1, room))
    line = [(name, ""), (f"{GAP}{stack.state}", "state")]
    used = wide(name) + wide(stack.state) + len(GAP)
    on = f"{stack.model} on {stack.device}" if stack.model else ""
    for text in map(plain, (on, f"{stack.url}/v1" if stack.url else "")):
        if text and used + wide(text) + len(GAP) <= width:
            line.append((f"{GAP}{text}", "dim"))
            used += wide(text) + len(GAP)
    return tuple(line)  # type: ignore[arg-type]


def _service(one: LiveService) -> tuple[str, ...]:
    state = one.health if one.state == "running" and one.health else one.state
    if one.state == "exited":
        state = f"exited ({one.exit_code})"
    return (
        f"{GAP}{one.service}",
        state,
        time_text(one.uptime_s),
        count_text(one.requests),
        rate_text(one.requests_per_s),
        rate_text(one.tokens_per_s),
        count_text(one.running),
        count_text(one.waiting),
        memory_text(one.memory_bytes, one.memory_limit_bytes),
    )


def _doing(frame: LiveFrame, width: int) -> Block:
    return tuple(_step(one, width, now=frame.at) for one in frame.doing)


def _step(one: Doing, width: int, *, now: float) -> Line:
    """Return what a command does: its title gives way to how far it is and how long it takes."""
    tail = time_text(now - one.began)
    whole = done_text(one.done, one.total, one.unit)
    share = whole.partition(GAP)[0]
    room = width - sum(wide(part) + len(GAP) for part in (tail, share) if part)
    name = shortened(one.stack, max(1, room // 3))
    room -= wide(name) + len(GAP)
    title = shortened(one.title, max(1, room))
    room -= wide(title) - wide(share)
    longer = plain(whole or f"{one.text}")
    said = longer if wide(longer) + (0 if share else len(GAP)) <= room else share
    pieces = [f"{GAP}{part}" for part in (title, said, tail) if part]
    return ((name, "accent"), *((piece, "") for piece in pieces))


def _sources(frame: LiveFrame, width: int) -> Block:
    """Say which values are not new, and why."""
    told = (one for one in frame.sources if one.state != "ok")
    return tuple(
        (
            (
                shortened(
                    f"{one.state}{GAP}{one.name}"
                    + ("" if one.age_s is None else f", {time_text(one.age_s)} ago")
                    + (f": {one.note}" if one.note else ""),
                    width,
                ),
                "state",
            ),
        )
        for one in told
    )


def _events(events: Sequence[LiveEvent], width: int, *, clock: Callable[[float], str]) -> Block:
    if not events:
        return ()
    lines: list[Line] = [(("EVENTS", "head"),)]
    for one in events[-MOST_EVENTS:]:
        at = clock(one.at)
        who = " ".join(part for part in (one.stack, one.service) if part)
        text = shortened(f"{who} {one.text}".strip(), width - wide(at) - len(GAP))
        lines.append(((at, "dim"), (f"{GAP}{text}", "")))
    return tuple(lines)
