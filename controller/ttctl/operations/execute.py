# SPDX-License-Identifier: Apache-2.0
"""Run a command in a service's container, as the container's own user."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError, WaitError
from ttctl.operations.stacks import known_stacks, pick_stack
from ttctl.rules.stack import ENGINE_SERVICE, GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.protocols import World


SERVICES = (ENGINE_SERVICE, GATEWAY_SERVICE)


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
    if stack is not None or service in SERVICES or service not in known_stacks(world):
        return pick_stack(world, stack), service, tuple(command)
    inner, *rest = command
    if inner in SERVICES and rest:
        return service, inner, tuple(rest)
    words = rest if inner in SERVICES else command
    raise UsageError(
        f"{service!r} is a stack; in which of its containers?",
        why="A stack has several, and a command runs in one: in a service.",
        evidence=f"Services: {', '.join(SERVICES)}.",
        next_step=shlex.join(
            ["ttctl", "exec", "--stack", service, ENGINE_SERVICE, "--", *(words or ["sh"])]
        ),
    )


def attach(
    world: World, stack: str, service: str, command: Sequence[str], *, terminal: bool
) -> None:
    """Become the command, with the user's own terminal or none.

    Raises:
        UsageError: The stack does not run this service.
    """
    _check(world, stack, service)
    no_terminal = [] if terminal else ["--no-TTY"]
    world.launcher.attach(stack, ["exec", *no_terminal, service, *command])


def execute(
    world: World, stack: str, service: str, command: Sequence[str], *, timeout_s: float
) -> Executed:
    """Run the command without a terminal, and return what it printed.

    Raises:
        UsageError: The stack does not run this service.
        WaitError: It took longer than `timeout_s`.
    """
    _check(world, stack, service)
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
    return Executed(
        stack=stack, service=service, command=tuple(command), exit_code=code, lines=lines
    )


def _check(world: World, stack: str, service: str) -> None:
    states = world.engine.containers(stack)
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
