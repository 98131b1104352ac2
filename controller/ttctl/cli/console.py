# SPDX-License-Identifier: Apache-2.0
"""The only place that prints: the answer on stdout, what is going on on stderr."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.cli.palette import Role, When, can_move, palette_for
from ttctl.errors import UsageError
from ttctl.rules.mending import without_sudo
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from ttctl.errors import TtctlError

PARTS: tuple[tuple[str, str, Role], ...] = (
    ("what", "error", "bad"),
    ("why", "why", "dim"),
    ("evidence", "evidence", "dim"),
    ("next_step", "next", "accent"),
)
"""The parts of a refusal: name in JSON, name on the screen, colour of that name."""


class Console:
    """Prints for people, or for programs under `--json`."""

    def __init__(
        self,
        *,
        as_json: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        yes: bool = False,
        colour: When = "auto",
    ) -> None:
        """Look at the streams once."""
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose
        self.yes = yes
        self.out = palette_for(sys.stdout, when="never" if as_json else colour)
        self.err = palette_for(sys.stderr, when="never" if as_json else colour)
        self.moves = can_move(sys.stderr) and not quiet and not as_json
        """Whether a line on stderr may be written over."""
        self._answered = False

    @property
    def unattended(self) -> bool:
        """Whether nobody is there to choose: a program reads, or standard input is no terminal."""
        stdin = sys.stdin
        return self.as_json or stdin is None or stdin.closed or not stdin.isatty()

    def answer(self, kind: str, value: object, text: str) -> None:
        """Print one answer: `text`, or the value in its envelope."""
        self._answered = True
        if self.as_json:
            envelope = {"schema": f"ttctl.{kind}/1", "data": plain(value)}
            text = json.dumps(envelope, indent=2 if sys.stdout.isatty() else None, sort_keys=True)
        if text:
            print(text, flush=True)  # noqa: T201

    def line(self, kind: str, value: object, text: str) -> None:
        """Print one of an answer's many lines; under `--json` one object a line."""
        if self.as_json:
            text = json.dumps({"schema": f"ttctl.{kind}/1", "data": plain(value)}, sort_keys=True)
        print(text, flush=True)  # noqa: T201

    def piece(self, text: str) -> None:
        """Print a piece of a streamed answer at once."""
        if not self.as_json:
            print(text, end="", flush=True)  # noqa: T201

    def event(self, event: str, **values: object) -> None:
        """Print what is going on for programs: one object a line, on stderr."""
        if self.quiet:
            return
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = {"schema": "ttctl.event/1", "time": now, "event": event, **values}
        print(json.dumps(body, sort_keys=True), file=sys.stderr, flush=True)  # noqa: T201

    def error(self, error: TtctlError) -> None:
        """Print the four parts of a refusal; under `--json` as an object on stdout.

        Behind an answer, which is one object, it is a note among the events on stderr.

        No password of an address gets past here, whichever part it was put into.
        """
        parts = {
            "what": redacted(error.message),
            "why": redacted(error.why),
            "evidence": redacted(error.evidence),
            "next_step": redacted(_typed_here(error.next_step)),
        }
        if self.as_json and self._answered:
            said = " ".join(parts[part] for part in ("what", "why", "evidence") if parts[part])
            self.event("note", text=f"{said} next: {parts['next_step']}")
        elif self.as_json:
            body = {**parts, "exit_code": error.exit_code, "code": error.code}
            indent = 2 if sys.stdout.isatty() else None
            envelope = {"schema": "ttctl.error/1", "error": body}
            print(json.dumps(envelope, indent=indent, sort_keys=True), flush=True)  # noqa: T201
        if self.as_json:
            return
        for part, name, role in PARTS:
            if parts[part]:
                first, *rest = parts[part].splitlines() or [""]
                self.say(f"{self.err.paint(f'{name}:', role)}{'':<{9 - len(name)}}{first}")
                for line in rest:
                    self.say(f"{'':<10}{line}")

    def note(self, text: str) -> None:
        """Say one line by the way; a program gets it as an event."""
        if self.as_json:
            self.event("note", text=redacted(text))
        elif not self.quiet:
            self.say(redacted(text))

    def say(self, text: str) -> None:
        """Print one line to stderr."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201

    def agrees(self, question: str, *, next_step: str) -> bool:
        """Ask for consent, unless `--yes` gave it.

        Raises:
            UsageError: Nobody is there to answer; `next_step` is the command with its flag.
        """
        if self.yes:
            return True
        if self.unattended:
            raise UsageError(
                "This needs a person's consent, and nobody can be asked.",
                why=question,
                evidence="Standard input is no terminal, or --json was given.",
                next_step=next_step,
            )
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _typed_here(command: str) -> str:
    return without_sudo(command) if os.geteuid() == 0 else command


def plain(value: object) -> object:
    """Return a value as JSON has it: objects, lists, strings, numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        # One pass: `asdict` would copy all of it first, which 229 entries notice.
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)  # type: ignore[type-var]
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value
