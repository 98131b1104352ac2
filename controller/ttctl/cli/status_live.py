# SPDX-License-Identifier: Apache-2.0
"""`ttctl status --live`: one screen that goes on, or one block or line for each look."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

import typer

from ttctl.cli.live_screen import LiveScreen
from ttctl.cli.palette import can_move
from ttctl.errors import InterruptedByUserError
from ttctl.operations.live import LiveWatch, meant
from ttctl.rules.live_rows import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.cli.palette import Palette
    from ttctl.cli.session import Session
    from ttctl.model.live import LiveFrame
    from ttctl.rules.live_text import Line

PATIENCE_S = 6.0
"""How long a look waits for its sources where a program or a file gets it."""
SCREEN_S = 1.0
"""How long a screen does: what comes later is shown by the next look."""


def show(session: Session, word: str | None, *, interval_s: float, count: int | None) -> None:
    """Look again and again, until `count` looks are done, `q` or a signal.

    Raises:
        UsageError: There is no stack of that name.
    """
    world = session.world
    watch = LiveWatch(world, meant(world, word), interval_s=interval_s)
    on_screen = not session.flags.as_json and can_move(sys.stdout)
    draw = _on_screen if on_screen else _in_blocks
    try:
        draw(session, watch, interval_s, count)
    except KeyboardInterrupt:
        # Its usual end: there is nothing to explain.
        raise typer.Exit(InterruptedByUserError.exit_code) from None


def _on_screen(session: Session, watch: LiveWatch, interval_s: float, count: int | None) -> None:
    screen = LiveScreen(sys.stdout)
    ending = f"every {interval_s:g} s{'' if sys.stdin is None else '  q ends'}"
    with screen.shown():
        for begun in _looks(count):
            frame = watch.look(patience_s=min(interval_s, SCREEN_S))
            woken = "resized"
            while woken == "resized":
                width, height = screen.size()
                lines = rows(frame, width=width, height=height, clock=_clock, ending=ending)
                screen.draw([painted(line, session.console.out) for line in lines])
                left = begun + interval_s - time.monotonic()
                # At least a moment, so that keys are heard where looks take long.
                woken = screen.wait(max(0.05, left))
            if woken == "ended":
                return


def _in_blocks(session: Session, watch: LiveWatch, interval_s: float, count: int | None) -> None:
    for at, begun in enumerate(_looks(count)):
        frame = watch.look(patience_s=PATIENCE_S)
        session.line("status-live", frame, ("\n" if at else "") + block(frame, session.console.out))
        if count is None or at + 1 < count:
            time.sleep(max(0.0, begun + interval_s - time.monotonic()))


def _looks(count: int | None) -> Iterator[float]:
    """Yield when each look begins."""
    done = 0
    while count is None or done < count:
        yield time.monotonic()
        done += 1


def block(frame: LiveFrame, palette: Palette) -> str:
    """Return a frame as plain lines, as wide as COLUMNS says, else 80 columns."""
    width = shutil.get_terminal_size().columns
    lines = rows(frame, width=width, height=None, clock=_clock)
    return "\n".join(painted(line, palette) for line in lines)


def painted(line: Line, palette: Palette) -> str:
    """Return a line in its colours, without blanks at its end."""
    last = "".join(text for text, _ in line).rstrip()
    room, pieces = len(last), []
    for text, mark in line:
        kept = text[:room]
        room -= len(kept)
        if mark == "state":
            pieces.append(palette.state(kept))
        else:
            pieces.append(palette.paint(kept, mark) if mark else kept)
    return "".join(pieces)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
