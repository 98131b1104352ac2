# SPDX-License-Identifier: Apache-2.0
"""Run other programs: as a list, with a limit, in a process group of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.errors import ToolMissingError, WaitError
from ttctl.rules.secret_variables import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TERMINATE_S = 5.0
"""How long a child may take to end after SIGTERM before it gets SIGKILL."""
KEPT_LINES = 400
KEPT_LETTERS = 64 << 10
"""Of each of them."""
MOST_LINE_BYTES = 64 << 20
"""Of a line: a program that prints without an end must not take the memory."""
POLL_S = 0.1
GONE_POLL_S = 0.01
LAST_LINES_S = 1.0
"""How long the output of a child that ended may still come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A child that ended."""

    returncode: int
    lines: tuple[str, ...]
    """The last lines of its output, both streams together."""

    def tail(self, count: int = 12) -> str:
        """Return the last lines that say something."""
        return "\n".join([line for line in self.lines if line.strip()][-count:])


def run(
    command: Sequence[str],
    *,
    timeout_s: float,
    on_line: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
    cancel: threading.Event | None = None,
    with_errors: bool = True,
    terminate_s: float = TERMINATE_S,
) -> Finished:
    """Run `command` and return how it ended; its output goes to `on_line` as it comes.

    Setting `cancel` ends the child's group before its time. Without `with_errors` what it says on
    stderr is dropped, for a program whose stdout is data. A child has `terminate_s` to end after
    SIGTERM. It gets `environ`, else ttctl's own environment, without its secrets: a build's and a
    container's come as files.

    Raises:
        ToolMissingError: The program is not installed.
        WaitError: It took longer than `timeout_s`; its whole group was ended.
    """
    child = subprocess.Popen(  # noqa: S603 - a list, never a shell
        [*_tied_to_us(), found_program(command[0]), *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if with_errors else subprocess.DEVNULL,
        env=without_secrets(os.environ if environ is None else environ),
        start_new_session=True,
    )
    output = _Output(child, on_line)
    output.start()
    try:
        _wait(child, timeout_s=timeout_s, cancel=cancel)
        # What the child left behind may hold its output open, and would be waited for.
        output.join(timeout=LAST_LINES_S)
    except subprocess.TimeoutExpired as exc:
        end_group(child, terminate_s=terminate_s)
        raise WaitError(
            f"{' '.join(command[:2])!r} did not end.",
            why=f"Its limit is {timeout_s:.0f} s.",
            evidence="\n".join(list(output.kept)[-5:]),
            next_step="ttctl status",
        ) from exc
    finally:
        end_group(child, terminate_s=terminate_s)
        output.join(timeout=TERMINATE_S)
    if output.failure is not None:
        raise output.failure
    return Finished(returncode=child.returncode, lines=tuple(output.kept))


def run_in_terminal(
    command: Sequence[str], *, timeout_s: float, environ: Mapping[str, str], next_step: str
) -> int:
    """Run a program that a person works in, such as an editor; return its exit code.

    `next_step` is what helps where it is missing.

    Raises:
        ToolMissingError: The program is not installed.
        WaitError: It was open for longer than `timeout_s`.
    """
    program = found_program(command[0], next_step=next_step)
    try:
        done = subprocess.run(  # noqa: S603 - a list, never a shell
            [program, *command[1:]], env=dict(environ), timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise WaitError(
            f"{command[0]!r} did not end.",
            why=f"Its limit is {timeout_s:.0f} s.",
            next_step="ttctl --help",
        ) from exc
    return done.returncode


def found_program(program: str, *, next_step: str = "") -> str:
    """Return a program's path.

    Args:
        program: Its name.
        next_step: What helps where it is missing; it is installed, if empty.

    Raises:
        ToolMissingError: It is in no folder of PATH.
    """
    found = shutil.which(program)
    if found is None:
        raise ToolMissingError(
            f"The program {program!r} is not installed.",
            why="ttctl calls it for this step.",
            evidence="It is in no folder of PATH.",
            next_step=next_step or _install(program),
        )
    return found


def _install(program: str) -> str:
    if program == "docker":
        return places.engine_install("docker.io")
    return f"sudo apt-get install {program}   # or your distribution's package"


class _Output(threading.Thread):
    """Reads what a child prints until nobody holds its output open."""

    def __init__(
        self, child: subprocess.Popen[bytes], on_line: Callable[[str], None] | None
    ) -> None:
        super().__init__(daemon=True)
        self._child = child
        self._on_line = on_line
        self.kept: deque[str] = deque(maxlen=KEPT_LINES)
        self.failure: Exception | None = None

    def run(self) -> None:
        if self._child.stdout is None:
            return
        with self._child.stdout as stream:
            while raw := stream.readline(MOST_LINE_BYTES):
                self._take(raw.decode(errors="replace").rstrip("\r\n"))

    def _take(self, line: str) -> None:
        self.kept.append(line[:KEPT_LETTERS])
        if self._on_line is None or self.failure is not None:
            return
        try:
            self._on_line(line)
        except Exception as exc:  # noqa: BLE001 - it is raised where the child is waited for
            # The output is read on, lest the child wait for a reader and not hear its end.
            self.failure = exc
            _signal_group(self._child, signal.SIGTERM)


def _tied_to_us() -> list[str]:
    """Return the prefix by which a child gets SIGTERM when ttctl is killed outright.

    Source: setpriv(1) of util-linux; prctl(2), PR_SET_PDEATHSIG.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _wait(
    child: subprocess.Popen[bytes], *, timeout_s: float, cancel: threading.Event | None
) -> None:
    if cancel is None:
        child.wait(timeout=timeout_s)
        return
    deadline = time.monotonic() + timeout_s
    while child.poll() is None:
        if cancel.wait(POLL_S):
            end_group(child)
        elif time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(child.args, timeout_s)


def end_group(child: subprocess.Popen[bytes], *, terminate_s: float = TERMINATE_S) -> None:
    """End a child and everything that it started, also what outlived the child.

    A second Ctrl-C while it takes its time ends it at once: nobody is left behind to go on.
    """
    try:
        for signum in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + terminate_s
            _signal_group(child, signum)
            while _lives(child) and time.monotonic() <= deadline:
                time.sleep(GONE_POLL_S)
    except (KeyboardInterrupt, SystemExit):
        _signal_group(child, signal.SIGKILL)
        raise
    finally:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=TERMINATE_S)


def _signal_group(child: subprocess.Popen[bytes], signum: int) -> bool:
    """Send a signal to the child's group; return whether there was anybody to take it."""
    try:
        os.killpg(child.pid, signum)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _lives(child: subprocess.Popen[bytes]) -> bool:
    """Return whether anybody in the child's group still runs; the dead may wait for init long."""
    child.poll()
    if not _signal_group(child, 0):
        return False
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if state != "Z" and group == str(child.pid):
                return True
    return False
