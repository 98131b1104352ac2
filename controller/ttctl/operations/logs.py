# SPDX-License-Identifier: Apache-2.0
"""What a stack's containers print."""

from __future__ import annotations

from dataclasses import dataclass
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
    names = {
        state.container_id: state.service
        for state in world.engine.containers(stack)
        if service in {None, state.service}
    }
    if not names:
        raise UsageError(
            f"The stack {stack!r} has no container" + (f" of {service!r}." if service else "."),
            why="Logs are kept with the containers, and end with them.",
            next_step="ttctl ps --all" if service else f"ttctl status {stack}",
        )
    lines = world.engine.stream(names, tail=tail, since=since, timestamps=timestamps, follow=follow)
    return (LogLine(service=service_name, line=line) for service_name, line in lines)
