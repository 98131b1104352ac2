# SPDX-License-Identifier: Apache-2.0
"""How does a stack end: in which steps, and did a stop end it? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.plan import Plan, Step
from ttctl.rules.spoiled import moment
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.plan import Verb

AT_WORK = frozenset({"running", "restarting", "paused"})
"""States of a container that has its nodes, or takes them by itself."""
ASKED_TO_END = frozenset({0, 130, 143})
"""Exit codes of what was asked to end and did: by itself, or by the signal (128 + 2, 128 + 15)."""
KILLED = 137
"""Exit code of what had to be killed, 128 + 9: at the end of its grace time, or from outside."""
NOTHING_HERE = "no container of this stack is here"


def steps_to_down(
    stack: str,
    containers: tuple[ContainerState, ...],
    *,
    unstarted: bool = False,
    volumes: bool = False,
) -> Plan:
    """Return what `down` does; an `unstarted` stack is a lock and nothing more."""
    if unstarted:
        verb: Verb = "remove" if volumes else "skip"
        more = "" if volumes else f"; `ttctl down {stack} -v` removes it"
        reason = f"the stack was never started{more}"
        return Plan(stack=stack, steps=(Step(verb=verb, subject="lock", reason=reason),))
    if not containers:
        return _nothing(stack, NOTHING_HERE)
    return Plan(stack=stack, steps=tuple(map(_removal, containers)))


def steps_to_stop(
    stack: str, containers: Sequence[ContainerState], *, timeout_s: int | None = None
) -> Plan:
    """Return what `stop` does: the door first, as compose goes from what depends to the rest.

    Args:
        stack: Its name.
        containers: Its containers.
        timeout_s: Seconds that each has; None for its own grace time.
    """
    if not containers:
        return _nothing(stack, NOTHING_HERE)
    if not any(one.state in AT_WORK for one in containers):
        made = any(one.state == "created" for one in containers)
        more = f"; `ttctl down {stack}` removes what was made and never started" if made else ""
        return _nothing(stack, f"it is stopped already: no container of it runs{more}")
    ordered = sorted(containers, key=lambda one: one.service != GATEWAY_SERVICE)
    return Plan(stack=stack, steps=tuple(_stop(one, timeout_s) for one in ordered))


def is_stopped(containers: Sequence[ContainerState]) -> bool:
    """Return whether a stop ended a stack: every container has ended, each as a stop ends it.

    The door is stopped first, and the container engine starts one again that crashed. So what was
    killed after the door had ended was killed by the stop; what was killed before it was not.
    """
    doors = (one.finished_at for one in containers if one.service == GATEWAY_SERVICE)
    since = next(doors, "")
    return bool(containers) and all(_was_stopped(one, since) for one in containers)


def step_to_run(stack: str, requested: str, containers: Sequence[ContainerState]) -> str:
    """Return what to type so that a stack runs that does not."""
    if is_stopped(containers):
        return f"ttctl start {stack}"
    return f"ttctl up {requested} --name {stack}" if requested else "ttctl models ls"


def _was_stopped(one: ContainerState, since: str) -> bool:
    if one.state != "exited" or one.oom_killed:
        return False
    killed = one.exit_code == KILLED and since and moment(one.finished_at) >= moment(since)
    return one.exit_code in ASKED_TO_END or bool(killed)


def _nothing(stack: str, reason: str) -> Plan:
    return Plan(stack=stack, steps=(Step(verb="skip", subject=stack, reason=reason),))


def _removal(one: ContainerState) -> Step:
    stopped = "; it is stopped first and has its whole grace time"
    reason = f"{one.state}{stopped if one.state in AT_WORK else ''}"
    return Step(verb="remove", subject=one.service, reason=reason)


def _stop(one: ContainerState, timeout_s: int | None) -> Step:
    if one.state not in AT_WORK:
        return Step(verb="skip", subject=one.service, reason=f"{one.state}: it does not run")
    time = "its whole grace time" if timeout_s is None else f"{timeout_s} s"
    return Step(verb="stop", subject=one.service, reason=f"{one.state}; it has {time}")
