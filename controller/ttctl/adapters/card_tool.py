# SPDX-License-Identifier: Apache-2.0
"""Asks a program about the cards once in a while, and never for long.

A program that hangs is ended with its group. An answer is kept for a moment, and so is a failure:
asking again at once would hang again. Not yet run on a card.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ttctl.adapters.files import write_atomically
from ttctl.adapters.process import run
from ttctl.errors import ToolMissingError, TtctlError, WaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MOST_BYTES = 64 << 20
"""Of what a program prints: more is no answer."""
ENDING = 0.1
"""Part of the limit that a program has to end after SIGTERM; as much again is for SIGKILL."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Generic[Value]):
    """What came of asking."""

    value: Value | None
    note: str = ""
    """Why there is none."""
    hung: bool = False
    """Whether it did not answer at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTool(Generic[Value]):
    """A program, and what it said a moment ago."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    """Names the program's folder, in PATH."""
    file: Path
    """Where the last answer is kept."""
    limit_s: float
    """The longest that a caller waits: what ending the program takes is in it."""
    max_age_s: float
    """For how long an answer holds."""
    sign: str
    """What an answer has in it, however the program ended."""
    read: Callable[[str, float], Value]
    """Reads an answer of an age in seconds, or raises a TtctlError."""

    def ask(self) -> Said[Value]:
        """Return the last answer where it still holds, else ask; never raises, never hangs."""
        return self.kept() or self._asked()

    def kept(self) -> Said[Value] | None:
        """Return the last answer or failure, None where it is too old or was none."""
        with suppress(OSError, ValueError, TypeError, KeyError, RecursionError, TtctlError):
            kept = json.loads(self.file.read_text(encoding="utf-8"))
            age = time.time() - float(kept["time"])
            if not 0 <= age <= self.max_age_s:
                return None
            if kept["note"]:
                note = f"{str(kept['note'])[:400]} ({age:.0f} s ago)"
                return Said(value=None, note=note, hung=kept["hung"] is True)
            return Said(value=self.read(str(kept["text"]), age))
        return None

    def _asked(self) -> Said[Value]:
        started = time.time()
        try:
            text = self._printed()
            value = self.read(text, 0)
        except ToolMissingError:
            # Nothing is kept of this: it costs nothing to look again.
            return Said(value=None, note=f"{self.command[0]} is not installed")
        except TtctlError as error:
            note = f"{error.message.rstrip('.')}: {error.why}".rstrip(": ")
            hung = isinstance(error, WaitError)
            self._keep(started, "", note, hung=hung)
            return Said(value=None, note=note, hung=hung)
        self._keep(started, text, "")
        return Said(value=value)

    def _printed(self) -> str:
        """Return what it prints, or give up within the limit, whatever the kernel does.

        Raises:
            ToolMissingError: It is not installed.
            WaitError: It did not end.
            TtctlError: It said nothing.
        """
        done: list[str | TtctlError] = []
        # A thread, since a program that waits for a driver may not even be killed.
        thread = threading.Thread(target=self._run, args=(done,), daemon=True)
        thread.start()
        thread.join(self.limit_s)
        if not done:
            raise self._late()
        if isinstance(done[0], TtctlError):
            raise done[0]
        return done[0]

    def _run(self, done: list[str | TtctlError]) -> None:
        lines: list[str] = []
        size = 0

        def take(line: str) -> None:
            nonlocal size
            size += len(line)
            if size <= MOST_BYTES:
                lines.append(line)

        program = self.command[0]
        try:
            ended = run(
                self.command,
                timeout_s=self._own_limit_s(),
                on_line=take,
                environ=self.environ,
                with_errors=False,
                terminate_s=self.limit_s * ENDING,
            )
        except WaitError:
            done.append(self._late())
        except TtctlError as error:
            done.append(error)
        except OSError as error:
            done.append(TtctlError(f"{program} could not be started.", why=error.strerror or ""))
        else:
            text = "\n".join(lines)
            said = (ended.tail(1) or "it printed nothing")[:200]
            failed = TtctlError(f"{program} ended with {ended.returncode}.", why=said)
            done.append(text if self.sign in text else failed)

    def _keep(self, moment: float, text: str, note: str, *, hung: bool = False) -> None:
        body = json.dumps({"time": moment, "text": text, "note": note, "hung": hung})
        # A full disk is no reason to withhold what was read.
        with suppress(TtctlError):
            write_atomically(self.file, body, mode=0o600)

    def _own_limit_s(self) -> float:
        """Return how long the program has, in seconds: the rest is for ending it."""
        return self.limit_s * (1 - 3 * ENDING)

    def _late(self) -> WaitError:
        return WaitError(
            f"{self.command[0]} did not answer.",
            why=f"It was ended after {self._own_limit_s():g} s, so that nobody waits longer than "
            f"{self.limit_s:g} s",
            evidence="It can hang beside a running job, and where a card does not answer.",
            next_step="ttctl devices ls",
        )
