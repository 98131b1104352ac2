# SPDX-License-Identifier: Apache-2.0
"""The only place that prints: the answer on stdout, what is going on on stderr."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ttctl.rules.site_files import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.errors import TtctlError

PLAIN_EVERY_S = 10.0
"""Off a terminal, progress is a line now and then."""


class Console:
    """Prints for people, or for programs under `--json`."""

    def __init__(self, *, as_json: bool, quiet: bool, verbose: bool) -> None:
        """Look at the streams once."""
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose
        self.fancy = _is_fancy(sys.stderr) and not quiet and not as_json

    def answer(self, kind: str, value: object, text: str) -> None:
        """Print one answer: `text`, or the value in its envelope."""
        if self.as_json:
            envelope = {"schema": f"ttctl.{kind}/1", "data": _plain(value)}
            text = json.dumps(envelope, indent=2, sort_keys=True)
        if text:
            print(text, flush=True)  # noqa: T201

    def event(self, kind: str, value: object, text: str) -> None:
        """Print one line of a stream; under `--json` one object a line."""
        if self.as_json:
            text = json.dumps({"schema": f"ttctl.{kind}/1", "data": _plain(value)}, sort_keys=True)
        print(text, flush=True)  # noqa: T201

    def piece(self, text: str) -> None:
        """Print a piece of a streamed answer at once."""
        if not self.as_json:
            print(text, end="", flush=True)  # noqa: T201

    def error(self, error: TtctlError) -> None:
        """Print the four parts of a refusal; under `--json` as an object on stdout.

        No password of an address gets past here, whichever part it was put into.
        """
        parts = {
            "what": redacted(error.message),
            "why": redacted(error.why),
            "evidence": redacted(error.evidence),
            "next_step": redacted(error.next_step),
        }
        if self.as_json:
            body = {**parts, "exit_code": error.exit_code, "code": error.code}
            envelope = {"schema": "ttctl.error/1", "error": body}
            print(json.dumps(envelope, indent=2, sort_keys=True), flush=True)  # noqa: T201
            return
        names = {"what": "error", "why": "why", "evidence": "evidence", "next_step": "next"}
        for part, name in names.items():
            if parts[part]:
                first, *rest = parts[part].splitlines() or [""]
                self.say(f"{name + ':':<10}{first}")
                for line in rest:
                    self.say(f"{'':<10}{line}")

    def say(self, text: str) -> None:
        """Print one line to stderr."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201


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
            self._end(f"  x {title}  {time.monotonic() - started:.1f} s")
            raise
        self._end(f"  + {title}  {time.monotonic() - started:.1f} s")

    def progress(self, done: float, total: float, unit: str) -> None:
        """Say how far the step is, now and then."""
        if time.monotonic() - self._told >= PLAIN_EVERY_S:
            self._told = time.monotonic()
            self.note(f"{self._title}: {_amount(done, total, unit)}")

    def note(self, text: str) -> None:
        """Say one line."""
        if not self._console.quiet:
            self._console.say(f"    {redacted(text)}")

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
            self._console.say(f"    | {line}")

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

    def _begin(self, title: str) -> None:
        """Nothing: off a terminal a step is one line, at its end."""

    def _end(self, line: str) -> None:
        if not self._console.quiet:
            self._console.say(line)


class TerminalReporter(PlainReporter):
    """The same, with one live line while a step runs."""

    def __init__(self, console: Console, log: Path) -> None:
        """Load rich: only here, only on a terminal."""
        super().__init__(console, log)
        from rich.console import Console as RichConsole  # noqa: PLC0415
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[amount]}", markup=False),
            TimeElapsedColumn(),
            console=RichConsole(file=sys.stderr),
            transient=True,
        )
        self._task: Any = None

    def progress(self, done: float, total: float, unit: str) -> None:
        """Move the bar; the counts are real."""
        if self._task is not None:
            amount = _amount(done, total, unit)
            self._progress.update(self._task, completed=done, total=total, amount=amount)

    def _begin(self, title: str) -> None:
        self._progress.start()
        self._task = self._progress.add_task(title, total=None, amount="")

    def _end(self, line: str) -> None:
        self._progress.remove_task(self._task)
        self._progress.stop()
        self._task = None
        super()._end(line)


def _amount(done: float, total: float, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
    return f"{done:.0f} of {total:.0f} {unit}"


def _is_fancy(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(_plain(one) for one in value)  # type: ignore[type-var]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value
