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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import ToolMissingError, WaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TERMINATE_S = 5.0
"""How long a child may take to end after SIGTERM before it gets SIGKILL."""
KEPT_LINES = 400
POLL_S = 0.1


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
) -> Finished:
    """Run `command` and return how it ended; its output goes to `on_line` as it comes.

    Setting `cancel` ends the child's group before its time.

    Raises:
        ToolMissingError: The program is not installed.
        WaitError: It took longer than `timeout_s`; its whole group was ended.
    """
    found = shutil.which(command[0])
    if found is None:
        raise ToolMissingError(
            f"The program {command[0]!r} is not installed.",
            why="ttctl calls it for this step.",
            evidence="It is in no folder of PATH.",
            next_step="make engine",
        )
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    with (
        subprocess.Popen(  # noqa: S603 - a list, never a shell
            [*_tied_to_us(), found, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environ) if environ is not None else None,
            start_new_session=True,
        ) as child
    ):
        reader = threading.Thread(target=_read, args=(child, kept, on_line), daemon=True)
        reader.start()
        try:
            _wait(child, timeout_s=timeout_s, cancel=cancel)
        except subprocess.TimeoutExpired as exc:
            end_group(child)
            raise WaitError(
                f"{' '.join(command[:2])!r} did not end.",
                why=f"Its limit is {timeout_s:.0f} s.",
                evidence="\n".join(list(kept)[-5:]),
                next_step="ttctl status",
            ) from exc
        except BaseException:
            end_group(child)
            raise
        finally:
            reader.join(timeout=TERMINATE_S)
    return Finished(returncode=child.returncode, lines=tuple(kept))


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


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End a child and everything that it started."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        try:
            os.killpg(child.pid, signum)
            child.wait(timeout=TERMINATE_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _read(
    child: subprocess.Popen[bytes], kept: deque[str], on_line: Callable[[str], None] | None
) -> None:
    if child.stdout is None:
        return
    for raw in child.stdout:
        line = raw.decode(errors="replace").rstrip("\r\n")
        kept.append(line)
        if on_line is not None:
            on_line(line)
