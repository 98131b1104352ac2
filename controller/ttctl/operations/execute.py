# SPDX-License-Identifier: Apache-2.0
"""Run a command in a service's container, as the container's own user."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.protocols import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A command that ended in a container."""

    stack: str
    service: str
    command: tuple[str, ...]
    exit_code: int
    lines: tuple[str, ...]
    """What it printed, both streams together."""


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
    code, lines = world.launcher.ask(
        stack, ["exec", "--no-TTY", service, *command], timeout_s=timeout_s
    )
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
