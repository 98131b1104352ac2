# SPDX-License-Identifier: Apache-2.0
"""How is one stack exchanged for another: in which steps, by which words? Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import DirtyError, HeldError
from ttctl.model.plan import Plan, Step
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from ttctl.errors import TtctlError
    from ttctl.model.container import ContainerState
    from ttctl.model.spec import Request

UP = "ttctl up "


def swap_line(stack: str, request: Request, *more: str) -> str:
    """Return the command that takes a stack down and brings up what is asked for in its place."""
    return instead(typed("up", request, *more), stack)


def instead(command: str, stack: str) -> str:
    """Return a command as it is for whoever has a stack up: what is brought up is swapped in."""
    if not command.startswith(UP):
        return command
    return f"ttctl swap {shlex.quote(stack)} {command.removeprefix(UP)}"


def swap_steps(stack: str, containers: tuple[ContainerState, ...], up: Plan) -> Plan:
    """Return `up` with the stack's end where it comes: behind all that takes long.

    Args:
        stack: What is taken down.
        containers: Its containers.
        up: What brings the other one up once it is down.
    """
    names = ", ".join(sorted(one.service for one in containers))
    reason = f"{names}: each has its whole grace time; lock, folder and key stay"
    end = Step(verb="stop", subject=f"stack {stack}", reason=reason)
    at = next(at for at, step in enumerate(up.steps) if step.subject == "gateway key")
    return replace(up, steps=(*up.steps[:at], end, *up.steps[at:]))


def say_untouched(refusal: TtctlError, stack: str, request: Request) -> None:
    """Say in a refusal that the stack goes on serving, and name what helps while it does."""
    kept = f"Nothing was changed: {stack!r} goes on serving."
    refusal.evidence = "\n".join(filter(None, (refusal.evidence, kept)))
    if isinstance(refusal, HeldError) and refusal.holder:
        # Another one is in the way besides: to swap that one would leave this one in the way.
        refusal.next_step = f"ttctl down {refusal.holder}   # then: {swap_line(stack, request)}"
    elif isinstance(refusal, DirtyError):
        refusal.next_step = swap_line(stack, request, "--reset")
    else:
        refusal.next_step = instead(refusal.next_step, stack)
