# SPDX-License-Identifier: Apache-2.0
"""Put together what one frame shows of boards and of a stack."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ttctl.model.live import LiveBoard, LiveEvent, LiveService, LiveStack
from ttctl.operations.live_gateway import OWN, speed
from ttctl.rules.live_metrics import Figures
from ttctl.rules.stack_state import state_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.container import ContainerState
    from ttctl.model.devices import DevicesInfo
    from ttctl.model.live import EngineSeen, MemoryUse
    from ttctl.model.lock_summary import LockSummary
    from ttctl.operations.live_gateway import Counted

STARTED = "started"
"""As the engine's own event is told."""
SAME_S = 2.0
"""Two moments of one start are nearer to each other."""
Pair = tuple["Counted | None", "Counted | None"]
"""What was counted at the look before the last one, and at the last one."""


def boards_of(found: DevicesInfo) -> tuple[LiveBoard, ...]:
    """Return boards with the values that their chips say."""
    return tuple(
        LiveBoard(
            id=one.board.id,
            name=str(at),
            family=one.board.family,
            health=one.board.verdict,
            temperature_c=_most(chip.temperature_c for chip in one.chips),
            power_w=_sum(chip.power_w for chip in one.chips),
            clock_mhz=_most(chip.clock_mhz for chip in one.chips),
            free=one.board.free,
            holders=one.board.holders,
        )
        for at, one in enumerate(found.boards)
    )


def newest(
    judged: tuple[LiveBoard, ...] | None, sensed: tuple[LiveBoard, ...] | None
) -> tuple[LiveBoard, ...]:
    """Return boards as they were judged last, with what their chips say now.

    Where nobody could say who has them, they are shown without it.
    """
    if not judged:
        return tuple(
            replace(one, health="unknown", free="unknown", holders=()) for one in sensed or ()
        )
    now = {one.id: one for one in sensed or ()}
    return tuple(_with_values(one, now.get(one.id, one)) for one in judged)


def _with_values(one: LiveBoard, new: LiveBoard) -> LiveBoard:
    """Return a board with newer values; what they do not say stays, as tt-smi may have said it."""
    values = {
        name: value
        for name in ("temperature_c", "power_w", "clock_mhz")
        if (value := getattr(new, name)) is not None
    }
    return replace(one, **values)


def _most(values: Iterable[float | None]) -> float | None:
    return max((one for one in values if one is not None), default=None)


def _sum(values: Iterable[float | None]) -> float | None:
    told = [one for one in values if one is not None]
    return sum(told) if told else None


def stack_of(
    stack: str,
    lock: LockSummary | None,
    seen: EngineSeen | None,
    *,
    known: bool,
    counted: Pair,
    now: float,
    url: str,
) -> LiveStack:
    """Return a stack with its services.

    Args:
        stack: Its name.
        lock: What its lock says, None where there is none that can be read.
        seen: What the container engine showed last.
        known: Whether that still holds.
        counted: What its gateway and engines counted.
        now: Unix time in seconds.
        url: Of its gateway, were it up.
    """
    own = tuple(one for one in seen.containers if one.stack == stack) if seen else ()
    memory = {one.container_id: one for one in seen.memory} if seen and known else {}
    runs = known and any(one.state == "running" for one in own)
    return LiveStack(
        stack=stack,
        state=_state(own, counted[1]) if known else "unknown",
        model=lock.model if lock else "",
        device=lock.device if lock else "",
        url=url if lock and runs else "",
        services=tuple(
            _service(one, memory.get(one.container_id), known=known, counted=counted, now=now)
            for one in own
        ),
    )


def _state(containers: tuple[ContainerState, ...], counted: Counted | None) -> str:
    """Return it in the words of `status`; the gateway's own checks stand for a question to it."""
    if state := state_by(containers):
        return state
    if all(one.service != OWN for one in containers):
        return "degraded"
    if counted is None:
        return "unknown"
    return "ready" if counted.ready else "degraded"


def _service(
    one: ContainerState, memory: MemoryUse | None, *, known: bool, counted: Pair, now: float
) -> LiveService:
    if not known:
        return LiveService(service=one.service, state="unknown", health="")
    runs = one.state == "running"
    last = counted[1] if runs else None
    figures = last.figures.get(one.service, Figures()) if last else Figures()
    return LiveService(
        service=one.service,
        state=one.state,
        health=one.health if runs else "",
        exit_code=one.exit_code,
        uptime_s=max(0.0, now - began) if runs and (began := _moment(one.started_at)) else None,
        requests=figures.requests,
        requests_per_s=speed(counted[0], last, one.service, "requests"),
        tokens=figures.tokens,
        tokens_per_s=speed(counted[0], last, one.service, "tokens"),
        running=figures.running,
        waiting=figures.waiting,
        memory_bytes=memory.used_bytes if memory else None,
        memory_limit_bytes=memory.limit_bytes if memory else None,
    )


def _moment(text: str) -> float | None:
    """Return a moment as Unix time; None for what is none, or was never."""
    with suppress(ValueError):
        return max(0.0, datetime.fromisoformat(text).timestamp()) or None
    return None


def with_starts(
    events: Iterable[LiveEvent], containers: Iterable[ContainerState]
) -> set[LiveEvent]:
    """Add when containers were started, where the engine has forgotten that it was so."""
    found = set(events)
    for one in containers:
        if at := _moment(one.started_at):
            event = LiveEvent(at=at, stack=one.stack, service=one.service, text=STARTED)
            if not any(_is_same(event, told) for told in found):
                found.add(event)
    return found


def _is_same(one: LiveEvent, other: LiveEvent) -> bool:
    same = (one.stack, one.service, one.text) == (other.stack, other.service, other.text)
    return same and abs(one.at - other.at) < SAME_S
