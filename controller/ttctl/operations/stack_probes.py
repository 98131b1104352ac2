# SPDX-License-Identifier: Apache-2.0
"""Look at the catalog, the stacks and what interrupted starts left, and judge it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, LockedError
from ttctl.model.health import Check
from ttctl.operations.diagnose import STARTING, STOPPED, causes
from ttctl.operations.in_time import in_time
from ttctl.operations.stacks import is_unstarted
from ttctl.operations.subject import HUSK
from ttctl.operations.unanswered import look
from ttctl.rules.checks import CheckGroup
from ttctl.rules.stack_state import state_by
from ttctl.rules.unanswered import NO_TOKEN, SLOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.health import Verdict
    from ttctl.operations.diagnose import Cause
    from ttctl.operations.subject import Subject

Checks = tuple[Check, ...]


_check = CheckGroup("Stacks")
ASKED_S = 10.0
"""For the gateways of all stacks: each has five seconds, and four for its figures."""
VERDICTS: dict[str, Verdict] = {
    STARTING: "skipped",
    STOPPED: "skipped",
    SLOW: "warning",
    NO_TOKEN: "warning",
}
"""Of what is no failure."""


def catalog(subject: Subject) -> Checks:
    """Say that the catalog can be read; that it cannot is the caller's to tell."""
    specs = subject.world.catalog.specs()
    return (_check("catalog", "ok", f"{len(specs)} entries"),)


def locks(subject: Subject) -> Checks:
    """Judge each stack's lock and key."""
    # Asked here once more, so that a folder that cannot be listed is told.
    if not subject.world.store.stacks():
        return (_check("stacks", "skipped", "none yet"),)
    return tuple(_stack(subject, stack) for stack in subject.stacks)


def _stack(subject: Subject, stack: str) -> Check:
    try:
        lock = subject.world.store.lock(stack)
    except BadFileError as error:
        return _check(
            stack,
            "failed",
            "its lock cannot be used",
            evidence=f"{error.message} {error.evidence}",
            fix=error.next_step,
        )
    own = tuple(one for one in subject.containers if one.stack == stack)
    if lock and subject.engine.answers and is_unstarted(subject.world, stack, own):
        return _check(stack, "ok", f"{lock.model} on {lock.device}, not started")
    if not subject.world.keys.has_key(stack):
        return _check(
            stack,
            "warning",
            "its key is missing or does not fit its hash",
            evidence=f"{subject.world.keys.key_file(stack)}; `up` makes a new one.",
            fix=f"ttctl up {lock.requested if lock else stack} --name {stack}",
        )
    model = f"{lock.model} on {lock.device}" if lock else "no lock"
    return _check(stack, "ok", model)


def services(subject: Subject) -> Checks:
    """Judge the services that were started: why one does not do its work, and what to do."""
    if not subject.engine.answers:
        return (_check("services", "skipped", "no engine answers"),)
    owner = subject.world.store.owner()
    # What was never started is told of under `containers`.
    own = [one for one in subject.containers if one.owner == owner and one.state != HUSK]
    of = {stack: [one for one in own if one.stack == stack] for stack in subject.stacks}
    found = [
        (stack, one) for stack in subject.stacks for one in causes(subject.world, stack, of[stack])
    ]
    found += _unanswered(subject, [one for one in of.values() if not state_by(one)])
    if not found:
        return (_check("services", "ok", "each that was started does its work"),)
    return tuple(
        _check(
            f"{stack} {one.service}",
            VERDICTS.get(one.failure, "failed"),
            one.cause,
            evidence=one.evidence,
            fix=one.next_step,
        )
        for stack, one in found
    )


def _unanswered(
    subject: Subject, stacks: Sequence[Sequence[ContainerState]]
) -> list[tuple[str, Cause]]:
    """Return what keeps stacks from answering whose containers all work; all at the same time."""
    ended = in_time([partial(look, subject.world, one) for one in stacks], limit_s=ASKED_S)
    return [
        (own[0].stack, one)
        for own, run in zip(stacks, ended, strict=True)
        for one in run.value or ()
    ]


def husks(subject: Subject) -> Checks:
    """Judge what an interrupted start left."""
    if not subject.engine.answers:
        return (_check("containers", "skipped", "no engine answers"),)
    found = subject.husks
    if not found:
        return (
            _check(
                "containers",
                "ok",
                "none was made and never started",
            ),
        )
    busy = sorted({one.stack for one in found if _is_busy(subject, one.stack)})
    if busy:
        text = f"another command is at work on {', '.join(busy)}"
        return (_check("containers", "skipped", text),)
    names = " ".join(one.name for one in found)
    return (
        _check(
            "containers",
            "warning",
            f"{len(found)} made and never started",
            evidence=f"{names}: an interrupted or failed start left them.",
            fix=f"docker rm {names}",
            harmless=True,
        ),
    )


def _is_busy(subject: Subject, stack: str) -> bool:
    world = subject.world
    try:
        with world.store.exclusive(stack, timeout_s=0, reporter=world.reporter):
            return False
    except LockedError:
        return True
