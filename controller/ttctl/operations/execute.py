# SPDX-License-Identifier: Apache-2.0
"""Run a command in a service's container, as the container's own user."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, UsageError, WaitError
from ttctl.operations.foreign import refuse_others
from ttctl.operations.stacks import known_stacks, pick_stack
from ttctl.rules.fatal import NOT_RUN
from ttctl.rules.stack import API_SERVICE, GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.protocols import World


NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""Exit codes of shells for a command that cannot be run, and for one that is not there."""
SERVICES = ("vllm", "media", "forge", API_SERVICE, "sd", GATEWAY_SERVICE)
"""Every service that a stack may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A command that ended in a container."""

    stack: str
    service: str
    command: tuple[str, ...]
    exit_code: int
    lines: tuple[str, ...]
    """What it printed, both streams together."""


def aimed(
    world: World, stack: str | None, service: str, command: Sequence[str]
) -> tuple[str, str, tuple[str, ...]]:
    """Return the stack, the service and the command that are meant.

    Compose's order is SERVICE COMMAND; with the stack before them it is understood, too.

    Raises:
        UsageError: Only a stack was named, and no service of it.
    """
    here = services(world)
    if stack is not None or service in here or service not in known_stacks(world):
        return pick_stack(world, stack), service, tuple(command)
    inner, *rest = command
    if inner in SERVICES and rest:
        return service, inner, tuple(rest)
    words = rest if inner in SERVICES else command
    here = services(world, service)
    raise UsageError(
        f"{service!r} is a stack; in which of its containers?",
        why="A stack has several, and a command runs in one: in a service.",
        evidence=f"Services: {', '.join(here)}.",
        next_step=shlex.join(
            ["ttctl", "exec", "--stack", service, here[0], "--", *(words or ["sh"])]
        ),
    )


def services(world: World, stack: str | None = None) -> tuple[str, ...]:
    """Return the services that have a container, the gateway last; where none has, all names."""
    seen = {one.service for one in world.engine.containers(stack)}
    return tuple(sorted(seen, key=lambda one: (one == GATEWAY_SERVICE, one))) or SERVICES


def attach(
    world: World, stack: str, service: str, command: Sequence[str], *, terminal: bool
) -> tuple[int, EngineError | None]:
    """Become the command at the user's own terminal, or run it without one.

    Returns:
        Its exit code, and why it could not be run, None where it ran.

    Raises:
        UsageError: The stack does not run this service, or is another user's.
    """
    _check(world, stack, service, command)
    if terminal:
        world.launcher.attach(stack, ["exec", service, *command])
        return 0, None
    code, said = world.launcher.pipe(stack, ["exec", "--no-TTY", service, *command])
    code = _code(code, said)
    if not said:
        return code, None
    found = "is not there" if code == NOT_FOUND else "cannot be run"
    return code, EngineError(
        f"The command {command[0]!r} {found}.",
        why=f"The container of {service!r} could not start it.",
        evidence=said.strip(),
        next_step=shlex.join(["ttctl", "exec", "--stack", stack, service, "--", "ls", "/usr/bin"]),
    )


def _code(code: int, said: str) -> int:
    """Return the exit code as shells have it: 127 for a command that is not there."""
    if code != NOT_EXECUTABLE or not said.startswith(NOT_RUN):
        return code
    absent = "not found" in said or "no such file" in said
    return NOT_FOUND if absent else NOT_EXECUTABLE


def execute(
    world: World, stack: str, service: str, command: Sequence[str], *, timeout_s: float
) -> Executed:
    """Run the command without a terminal, and return what it printed.

    Raises:
        UsageError: The stack does not run this service, or is another user's.
        WaitError: It took longer than `timeout_s`.
    """
    _check(world, stack, service, command)
    try:
        code, lines = world.launcher.ask(
            stack, ["exec", "--no-TTY", service, *command], timeout_s=timeout_s
        )
    except WaitError as exc:
        raise WaitError(
            f"{shlex.join(command)!r} in {service!r} of {stack!r} did not end.",
            why=exc.why,
            evidence=exc.evidence,
            next_step=exc.next_step,
        ) from exc
    code = _code(code, lines[0] if lines else "")
    return Executed(
        stack=stack, service=service, command=tuple(command), exit_code=code, lines=lines
    )


def _check(world: World, stack: str, service: str, command: Sequence[str]) -> None:
    states = world.engine.containers(stack)
    refuse_others(world, stack, states)
    plain = next((one for one in states if one.service == service and not one.composed), None)
    if plain is not None:
        raise UsageError(
            f"The stack {stack!r} was started by `docker run`, and `exec` goes through compose.",
            why="Compose knows only the containers that it made.",
            evidence=plain.name,
            next_step=shlex.join(["docker", "exec", plain.name, *command]),
        )
    running = [state.service for state in states if state.state == "running"]
    if service not in running:
        raise UsageError(
            f"The stack {stack!r} runs no service {service!r}.",
            why="Its containers are not here, or have ended.",
            evidence=f"Running services: {', '.join(running) or 'none'}.",
            next_step=f"ttctl status {stack}",
            mistyped=service,
            meant=next(iter(get_close_matches(service, running, n=1)), ""),
        )
