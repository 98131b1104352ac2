# SPDX-License-Identifier: Apache-2.0
"""What a stack's containers print."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a container printed."""

    service: str
    line: str


def logs(
    world: World,
    stack: str,
    *,
    service: str | None,
    tail: int | None,
    since: int | None,
    timestamps: bool,
    follow: bool,
) -> Iterator[LogLine]:
    """Yield the lines of a stack, or of one service of it.

    Raises:
        UsageError: The stack has no such service.
    """
    containers = world.engine.containers(stack)
    names = {
        state.container_id: state.service
        for state in containers
        if service in {None, state.service}
    }
    if not names:
        services = {state.service for state in containers}
        raise UsageError(
            f"The stack {stack!r} has no container" + (f" of {service!r}." if service else "."),
            why="Logs are kept with the containers, and end with them.",
            evidence=f"Services with a container: {', '.join(sorted(services)) or 'none'}.",
            next_step="ttctl ps --all" if service else f"ttctl status {stack}",
            mistyped=service or "",
            meant=next(iter(get_close_matches(service or "", services, n=1)), ""),
        )
    lines = world.engine.stream(names, tail=tail, since=since, timestamps=timestamps, follow=follow)
    return (LogLine(service=service_name, line=line) for service_name, line in lines)
