# SPDX-License-Identifier: Apache-2.0
"""Say why compose did not bring a stack up, from its lines, the containers and their logs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters.failures import known_failures
from ttctl.errors import EngineError, WaitError
from ttctl.rules.fatal import found_in, state_cause, state_of, works

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.adapters.process import Finished
    from ttctl.model.container import ContainerState

NOT_HEALTHY = "application not healthy after"
"""What compose says when `--wait-timeout` is over; its code is the same as for any failure.

Source: https://github.com/docker/compose/blob/v2.29.7/pkg/compose/start.go
"""
EXITED = re.compile(r"container (\S+) exited \((\d+)\)")
"""What compose says of a container that ended while it waited.

Seen with compose 2.26, when the engine was restarted.
"""
REFUSED = "Error response from daemon"
"""What docker puts before what its engine refused."""
SHOWN = 240
"""Characters of a log line that an error shows."""


def failure(
    stack: str,
    bad: Sequence[ContainerState],
    *,
    lines: Sequence[str],
    fatal: Sequence[str],
    done: Finished,
) -> EngineError | WaitError:
    """Return the error of a stack that did not come up.

    Args:
        stack: Its name.
        bad: Its containers that do not run, or are not healthy.
        lines: The last ones of the first of them.
        fatal: What was seen in a log while compose waited, with its meaning.
        done: How compose ended.
    """
    cause = fatal[0] if fatal else known(done)
    why = cause or _why(bad) or f"docker compose ended with {done.returncode}"
    # A container that never was has no log, and another's says nothing of it.
    shown = [] if cause and not fatal else [shortened(line) for line in lines]
    refused = [] if cause else [shortened(line) for line in done.lines if REFUSED in line]
    shown = [*refused[-1:], *shown]
    waited = not fatal and any(NOT_HEALTHY in line for line in done.lines)
    return (WaitError if waited else EngineError)(
        f"The stack {stack!r} did not come up.",
        why=why,
        evidence="\n".join(shown) or done.tail(8),
        next_step=f"ttctl logs {stack} --tail 100",
    )


def in_doubt(states: Sequence[ContainerState], lines: Sequence[str]) -> list[ContainerState]:
    """Return the containers that do not do their work, or did not, by what compose said.

    First those that came back, as they had ended; last those that just start: nothing is wrong
    with them yet.
    """
    back = _came_back(states, lines)
    names = {one.name for one in back}
    bad = [one for one in states if not works(one) and one.name not in names]
    return [*back, *sorted(bad, key=_only_starts)]


def _only_starts(one: ContainerState) -> bool:
    return one.health == "starting" and not one.restarts


def _came_back(states: Sequence[ContainerState], lines: Sequence[str]) -> list[ContainerState]:
    """Return, as they ended, containers that compose saw end and that are not ended any more.

    The engine starts a container again that ended of itself, and those that ended with the engine.
    """
    codes = {found[1]: int(found[2]) for line in lines if (found := EXITED.search(line))}
    return [
        replace(one, state="exited", health="", exit_code=codes[one.name])
        for one in states
        if one.name in codes and one.state != "exited"
    ]


def shortened(line: str) -> str:
    """Return a log line as an error shows it; the log itself has all of it."""
    text = line.strip()
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def known(done: Finished) -> str:
    """Return what Docker itself said of why a container cannot be, empty where that is unknown."""
    seen = (found_in(line, known_failures()) for line in done.lines)
    found = next((one for one in seen if one is not None), None)
    return f"{found.cause}: {shortened(found.line)}" if found else ""


def _why(bad: Sequence[ContainerState]) -> str:
    for one in bad:
        if (found := state_of(one, known_failures())) is not None:
            return state_cause(one, found)
    return ""
