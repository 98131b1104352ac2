# SPDX-License-Identifier: Apache-2.0
"""What a stack's containers print."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.operations.diagnose import causes
from ttctl.operations.execute import services as services_of
from ttctl.operations.foreign import refuse_others
from ttctl.operations.stacks import known_stacks, pick_stack
from ttctl.rules.to_end import is_stopped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World
    from ttctl.operations.diagnose import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a container printed."""

    service: str
    line: str


def aimed(
    world: World,
    words: Sequence[str],
    service: str | None,
    *,
    within: str | None = None,
    only: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """Return the stack and the services that are meant; no service means all.

    The first of `words` is the stack, as in compose's project; where it is none, but a service of
    the only one that is meant, all are services.

    Args:
        world: The outside.
        words: As they were typed.
        service: What --service says.
        within: The stack that is meant where `words` name none.
        only: Whether no word can name another one.
    """
    named = (service,) if service else ()
    first = words[0] if words else None
    is_service = first in services_of(world) and first not in known_stacks(world)
    if only or first is None or is_service:
        return pick_stack(world, within), (*words, *named)
    return pick_stack(world, first), (*words[1:], *named)


def explained(world: World, stack: str, *, services: Sequence[str] = ()) -> tuple[Cause, ...]:
    """Say why services of a stack do not do their work; nothing of those that do.

    Raises:
        UsageError: The stack has no such service, or no container, or is another user's.
    """
    meant = _meant(world, stack, services)
    return causes(world, stack, meant, stopped=is_stopped(world.engine.containers(stack)))


def logs(
    world: World,
    stack: str,
    *,
    services: Sequence[str] = (),
    tail: int | None,
    since: int | None,
    timestamps: bool,
    follow: bool,
) -> Iterator[LogLine]:
    """Yield the lines of a stack, or of some services of it.

    Raises:
        UsageError: The stack has no such service, or no container, or is another user's.
    """
    found = _meant(world, stack, services)
    names = {state.container_id: state.service for state in found}
    lines = world.engine.stream(names, tail=tail, since=since, timestamps=timestamps, follow=follow)
    return (LogLine(service=service_name, line=line) for service_name, line in lines)


def _meant(world: World, stack: str, services: Sequence[str]) -> tuple[ContainerState, ...]:
    containers = world.engine.containers(stack)
    refuse_others(world, stack, containers)
    found = tuple(state for state in containers if not services or state.service in services)
    here = sorted({state.service for state in containers})
    missing = next((one for one in services if one not in here), "")
    if missing or not found:
        raise UsageError(
            f"The stack {stack!r} has no container" + (f" of {missing!r}." if missing else "."),
            why="Logs are kept with the containers, and end with them.",
            evidence=f"Services with a container: {', '.join(here) or 'none'}.",
            next_step="ttctl ps --all" if missing else f"ttctl status {stack}",
            mistyped=missing,
            meant=next(iter(get_close_matches(missing, here, n=1)), ""),
        )
    return found
