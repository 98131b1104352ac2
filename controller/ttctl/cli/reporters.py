# SPDX-License-Identifier: Apache-2.0
"""Who tells what is going on: lines, a live line on a terminal, or events for programs."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.cli.live_line import LiveLine
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.cli.console import Console

PLAIN_EVERY_S = 10.0
"""Off a terminal, progress is a line now and then."""
EVENT_EVERY_S = 0.5
"""A program gets it more often, and still not by the thousand."""


def reporter_for(console: Console, log: Path) -> PlainReporter:
    """Return the reporter that suits the console; `log` keeps every line of a child."""
    if console.as_json:
        return EventReporter(console, log)
    return (TerminalReporter if console.moves else PlainReporter)(console, log)


class PlainReporter:
    """A line a step with its seconds; every line of a child goes to the log file."""

    def __init__(self, console: Console, log: Path) -> None:
        """`log` is made when the first line comes."""
        self._console = console
        self._log = log
        self._logging = False
        self._silent = False
        self._told = 0.0
        self._title = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce one step; its end shows a mark and the seconds."""
        started, title = time.monotonic(), redacted(title)
        self._title, self._told = title, started
        self.detail(f"--- {title}")
        self._begin(title)
        try:
            yield
        except BaseException:
            self._end(title, time.monotonic() - started, failed=True)
            raise
        self._end(title, time.monotonic() - started, failed=False)

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        """Say how far the step is, now and then; its parts are not told one by one."""
        if not part and time.monotonic() - self._told >= PLAIN_EVERY_S:
            self._told = time.monotonic()
            self.note(f"{self._title}: {_amount(done, total, unit)}")

    def status(self, text: str, **facts: float | str) -> None:  # noqa: ARG002 - a program reads them
        """Say what goes on right now; whoever calls keeps a calm pace."""
        self.note(text)

    def note(self, text: str) -> None:
        """Say one line."""
        self._console.note(f"    {text}")

    def detail(self, line: str) -> None:
        """Keep a child's line in the log; show it under `--verbose`."""
        line = redacted(line)
        try:
            self._keep(line)
        except OSError as exc:
            # What is being done matters more than its log: a full disk is said by what needs it.
            if not self._silent:
                self.note(f"no log is kept: {exc.strerror}: {self._log}")
            self._silent = True
        if self._console.verbose:
            self._show(line)

    def _keep(self, line: str) -> None:
        if self._silent:
            return
        if not self._logging:
            self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._log.write_text("", encoding="utf-8")
            self._log.chmod(0o600)
            self._logging = True
        with self._log.open("a", encoding="utf-8", errors="replace") as file:
            file.write(line + "\n")

    def _show(self, line: str) -> None:
        self._console.say(self._console.err.paint(f"    | {line}", "dim"))

    def _begin(self, title: str) -> None:
        """Nothing: off a terminal a step is one line, at its end."""

    def _end(self, title: str, seconds: float, *, failed: bool) -> None:
        if not self._console.quiet:
            paint = self._console.err.paint
            mark = paint("x", "bad") if failed else paint("+", "accent")
            self._console.say(f"  {mark} {title}  {paint(f'{seconds:.1f} s', 'dim')}")


class TerminalReporter(PlainReporter):
    """The same, with one live line while a step runs."""

    def __init__(self, console: Console, log: Path) -> None:
        """Nothing is drawn before the first step."""
        super().__init__(console, log)
        self._live = LiveLine(sys.stderr, console.err)
        self._running = False

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        """Move the bar, or that of a part; the counts are real."""
        amount = _amount(done, total, unit)
        if part:
            self._live.part(part, done, total, amount)
        else:
            self._live.update(done, total, amount)

    def status(self, text: str, **facts: float | str) -> None:
        """Say it on the live line; with none, as a line."""
        if self._running:
            self._live.update(0, 0, redacted(text))
        else:
            super().status(text, **facts)

    def note(self, text: str) -> None:
        """Say one line, above the live one."""
        if self._running and not self._console.quiet:
            self._live.above(f"    {redacted(text)}")
        else:
            super().note(text)

    def _show(self, line: str) -> None:
        if self._running:
            self._live.above(self._console.err.paint(f"    | {line}", "dim"))
        else:
            super()._show(line)

    def _begin(self, title: str) -> None:
        self._live.start(title)
        self._running = True

    def _end(self, title: str, seconds: float, *, failed: bool) -> None:
        self._running = False
        self._live.stop()
        super()._end(title, seconds, failed=failed)


class EventReporter(PlainReporter):
    """One JSON object a line on stderr; `EVENTS` in `cli/answers.py` says which there are."""

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        """Say how far the step is, twice a second at most and at its end; not of its parts."""
        if part:
            return
        now = time.monotonic()
        if now - self._told >= EVENT_EVERY_S or done >= total:
            self._told = now
            self._console.event("progress", title=self._title, done=done, total=total, unit=unit)

    def status(self, text: str, **facts: float | str) -> None:
        """Say what goes on, with its numbers."""
        self._console.event("status", title=self._title, text=redacted(text), **facts)

    def note(self, text: str) -> None:
        """Say one line."""
        self._console.note(text)

    def _show(self, line: str) -> None:
        self._console.event("output", line=line)

    def _begin(self, title: str) -> None:
        self._console.event("step", title=title, state="started", seconds=0.0)

    def _end(self, title: str, seconds: float, *, failed: bool) -> None:
        state = "failed" if failed else "done"
        self._console.event("step", title=title, state=state, seconds=round(seconds, 3))


def _amount(done: float, total: float, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
    return f"{done:.0f} of {total:.0f} {unit}"
