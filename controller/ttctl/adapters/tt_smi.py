# SPDX-License-Identifier: Apache-2.0
"""Asks tt-smi, once in a while and never for long; a program that hangs is ended with its group.

An answer is kept for a minute, and so is a failure: asking again at once would hang again.
Not yet run on a card.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.adapters.files import write_atomically
from ttctl.adapters.process import run
from ttctl.adapters.tt_smi_snapshot import parse_snapshot
from ttctl.errors import ToolMissingError, TtctlError, WaitError
from ttctl.model.telemetry import Answered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.model.telemetry import Telemetry

COMMAND = ("tt-smi", "-s")
NAME = "tt-smi.json"
MOST_BYTES = 64 << 20
"""Of what it prints: more is no snapshot."""
ENDING = 0.1
"""Part of the limit that a program has to end after SIGTERM; as much again is for SIGKILL."""


class TtSmi:
    """The program, and what it said a moment ago."""

    def __init__(
        self, environ: Mapping[str, str], *, cache: Path, limit_s: float, max_age_s: float
    ) -> None:
        """Nothing is asked yet.

        Args:
            environ: Names the program's folder, in PATH.
            cache: Where the last answer is kept.
            limit_s: The longest that a caller waits.
            max_age_s: For how long an answer holds.
        """
        self._environ = environ
        self._file = cache / NAME
        self._limit_s = limit_s
        self._max_age_s = max_age_s

    def kept(self) -> Telemetry | None:
        """Return the last answer, None where it is too old or was none."""
        found = self._kept()
        return found.telemetry if found else None

    def ask(self) -> Answered:
        """Return the last answer where it still holds, else ask; never raises, never hangs."""
        return self._kept() or self._asked()

    def _asked(self) -> Answered:
        started = time.time()
        try:
            text = self._printed()
            telemetry = parse_snapshot(text, COMMAND[0])
        except ToolMissingError:
            # Nothing is kept of this: it costs nothing to look again.
            return Answered(telemetry=None, note="tt-smi is not installed")
        except TtctlError as error:
            note = f"{error.message.rstrip('.')}: {error.why}".rstrip(": ")
            self._keep(started, "", note)
            return Answered(telemetry=None, note=note)
        self._keep(started, text, "")
        return Answered(telemetry=telemetry)

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
        thread.join(self._limit_s)
        if not done:
            raise _late(self._limit_s)
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

        try:
            ended = run(
                COMMAND,
                timeout_s=self._limit_s * (1 - 3 * ENDING),
                on_line=take,
                environ=self._environ,
                with_errors=False,
                terminate_s=self._limit_s * ENDING,
            )
        except WaitError:
            done.append(_late(self._limit_s))
        except TtctlError as error:
            done.append(error)
        except OSError as error:
            done.append(TtctlError("tt-smi could not be started.", why=error.strerror or ""))
        else:
            text = "\n".join(lines)
            said = (ended.tail(1) or "it printed nothing")[:200]
            failed = TtctlError(f"tt-smi ended with {ended.returncode}.", why=said)
            done.append(text if "{" in text else failed)

    def _kept(self) -> Answered | None:
        with suppress(OSError, ValueError, TypeError, KeyError, TtctlError):
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            age = time.time() - float(kept["time"])
            if not 0 <= age <= self._max_age_s:
                return None
            if kept["note"]:
                note = f"{str(kept['note'])[:400]} ({age:.0f} s ago)"
                return Answered(telemetry=None, note=note)
            return Answered(telemetry=parse_snapshot(str(kept["text"]), COMMAND[0], age_s=age))
        return None

    def _keep(self, moment: float, text: str, note: str) -> None:
        body = json.dumps({"time": moment, "text": text, "note": note})
        # A full disk is no reason to withhold what was read.
        with suppress(TtctlError):
            write_atomically(self._file, body, mode=0o600)


def _late(limit_s: float) -> WaitError:
    return WaitError(
        "tt-smi did not answer.",
        why=f"Its limit is {limit_s:g} s",
        evidence="It can hang beside a running job, and where a card does not answer.",
        next_step="ttctl devices ls",
    )
