# SPDX-License-Identifier: Apache-2.0
"""Which line of an engine's log, or which state of it, means that it will not come up? Pure."""

from __future__ import annotations

import re
from calendar import timegm
from typing import TYPE_CHECKING

from ttctl.model.failure import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.failure import BadState, Failures

LEAST_CONTEXT = 16
LOOPS = 2
"""Times that the engine started a container again by itself, from which on it is told as that."""
NOT_RUN = "OCI runtime exec failed"
"""How Docker begins what it says, on stdout, of a command that a container cannot start."""
MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")
"""As the container engine writes it, in UTC; a fraction follows."""
HARMLESS = re.compile(
    r"\b(WARNING|INFO|DEBUG)\b|\| *(warning|info|debug|trace) *\||^\[W\d|\b\w*Warning:"
)
"""Python's levels, tt-logger's, PyTorch's (`[W1121 08:36:10...`), and the warnings module's."""


def found_in(line: str, known: Failures) -> Found | None:
    """Return what a log line is known as; None for a line that is not fatal."""
    harmless = HARMLESS.search(line) is not None
    for failure in known.failures:
        if harmless and not failure.as_warning:
            continue
        if found := re.search(failure.pattern, line):
            groups = tuple(group or "" for group in found.groups())
            return Found(failure=failure, groups=groups, line=line)
    return None


def exact(lines: Sequence[str], found: Found, known: Failures) -> Found:
    """Return the first of the lines that says more than one that is vague; else that one itself.

    The C++ libraries print where they gave up first, and why two lines later.
    """
    if not found.failure.vague:
        return found
    seen = (found_in(one, known) for one in lines)
    return next((one for one in seen if one is not None and not one.failure.vague), found)


def told(lines: Sequence[str], known: Failures) -> Found | None:
    """Return what lines of a log tell of how the engine ended: the last that is known and exact."""
    seen = [one for line in lines if (one := found_in(line, known)) is not None]
    plain = [one for one in seen if not one.failure.vague]
    return next(iter(reversed(plain or seen)), None)


def step_of(found: Found, *, up: str, model: str, cache: str, context: int) -> str:
    """Return what to type for a line that is known; empty where only the log helps.

    Args:
        found: The line.
        up: The line that brings the stack up.
        model: The word that was asked for, quoted.
        cache: The cache's folder, quoted.
        context: Tokens of context that the engine was started with.
    """
    half = max(LEAST_CONTEXT, context // 2)
    return found.failure.next_step.format(up=up, model=model, cache=cache, context=half)


def works(container: ContainerState) -> bool:
    """Return whether a container does its work, as far as the container engine can tell."""
    well = container.health in {"", "healthy"}
    return container.state == "running" and well and not container.oom_killed


def state_of(
    container: ContainerState, known: Failures, *, stopped: bool = False
) -> BadState | None:
    """Return how a container does not do its work; None where it does, as far as one can see.

    Args:
        container: Which.
        known: What is known of states.
        stopped: Whether a stop ended its whole stack.
    """
    return next((one for one in known.states if _is_so(container, one, stopped=stopped)), None)


def state_cause(container: ContainerState, state: BadState) -> str:
    """Return why a container does not do its work, with what is known of it filled in."""
    return state.cause.format(
        service=container.service,
        code=container.exit_code,
        limit=limit_text(container),
        restarts=container.restarts,
    )


def said_since(container: ContainerState) -> int | None:
    """Return when a container was started last, as Unix time; None for one that never was.

    Its log holds what it said before that, too: an engine keeps it where it starts one again.
    """
    found = MOMENT.match(container.started_at)
    moment = timegm(tuple(map(int, found.groups()))) if found else 0
    # One that was never started says the year 1.
    return moment if moment > 0 else None


def ended_since(container: ContainerState) -> int | None:
    """Return since when a log tells why a container does not do its work, as Unix time.

    None is all of it: what the engine started again by itself said why before it was started last.
    """
    return None if container.restarts and not works(container) else said_since(container)


def limit_text(container: ContainerState) -> str:
    """Return a container's limit of memory, to stand behind the word; empty where it has none."""
    return f" of {container.memory_bytes >> 20} MiB" if container.memory_bytes else ""


def _is_so(container: ContainerState, state: BadState, *, stopped: bool) -> bool:
    pairs = (
        (state.state or None, container.state),
        (state.health or None, container.health),
        (state.code, container.exit_code),
        (state.oom_killed, container.oom_killed),
        (state.stopped, stopped),
        (state.restarted, container.restarts >= LOOPS),
    )
    return all(wanted is None or wanted == seen for wanted, seen in pairs)
