# SPDX-License-Identifier: Apache-2.0
"""Look at everything at the same time, and let nothing that breaks end it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, get_args

from ttctl.errors import NothingFitsError, TtctlError, UsageError
from ttctl.model.health import Check, Diagnosis, Group
from ttctl.model.spec import Request
from ttctl.operations import probes, stack_probes
from ttctl.operations.choose import choose
from ttctl.operations.in_time import in_time
from ttctl.operations.subject import Subject
from ttctl.rules.redaction import redacted
from ttctl.rules.stack import names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.model.protocols import World

LIMIT_S = 12.0
"""For all of it: each look has a shorter limit of its own, this one is for what hangs in spite."""
GROUPS: tuple[Group, ...] = get_args(Group)
BAD = ("failed", "warning")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One probe, under a name for the case that it breaks."""

    name: str
    group: Group
    run: Callable[[], Sequence[Check]]


def doctor(
    world: World, stack: str | None = None, *, limit_s: float = LIMIT_S
) -> tuple[Subject, Diagnosis]:
    """Look at the machine and the place: for one stack, for a model to be, or for all stacks.

    Raises:
        UsageError: There is no such stack, and no such model.
    """
    subject = _subject(world, stack)
    return subject, _diagnosis(subject, _together(_looks(subject), limit_s=limit_s))


def mend(subject: Subject, check: Check) -> None:
    """Do what a harmless check's fix says.

    Raises:
        TtctlError: It could not be done.
        LockedError: Another command is at work on the stack.
    """
    world = subject.world
    if check.name == "state":
        world.vitals.mend("make-private")
    elif check.name == "left behind":
        world.vitals.mend("sweep")
    else:
        for stack in sorted({one.stack for one in subject.husks}):
            with world.store.exclusive(stack, timeout_s=0, reporter=world.reporter):
                # Looked at again under the lock: a start may have come in between.
                found = [one for one in subject.husks if one.stack == stack]
                ids = tuple(one.container_id for one in found)
                if ids:
                    world.vitals.mend("remove-containers", ids)


def again(subject: Subject, before: Diagnosis, group: Group) -> Diagnosis:
    """Look at one group once more and put its new verdicts in place of the old ones."""
    fresh = Subject(subject.world, subject.stacks, subject.named)
    looks = [look for look in _looks(fresh) if look.group == group]
    kept = tuple(check for check in before.checks if check.group != group)
    return _diagnosis(fresh, (*kept, *_together(looks, limit_s=LIMIT_S)))


def _subject(world: World, word: str | None) -> Subject:
    if word is None:
        return Subject(world, _stacks(world))
    stacks = world.store.stacks()
    for name in names_of(word):
        if name in stacks:
            return Subject(world, (name,))
    try:
        device = world.host.system().device or "cpu"
        return Subject(world, (), choose(world, Request(model=word, device=device)).spec)
    except NothingFitsError as error:
        # `doctor` takes no device; to bring the model up does.
        error.added = ""
        raise
    except UsageError as error:
        near = get_close_matches(word, stacks, n=1)
        raise UsageError(
            f"There is no stack and no model {word!r}.",
            why="Neither a lock nor an entry of the catalog has this name.",
            evidence=f"Stacks: {', '.join(stacks) or 'none'}. "
            + (f"Nearest: {near[0]}." if near else error.evidence),
            next_step="ttctl doctor",
            mistyped=word,
            meant=near[0] if near else error.meant,
        ) from error


def _stacks(world: World) -> tuple[str, ...]:
    """Return every stack; where they cannot be listed, the look at them says so."""
    try:
        return world.store.stacks()
    except (TtctlError, OSError, RuntimeError):
        return ()


def _looks(subject: Subject) -> list[_Look]:
    of: tuple[tuple[str, Group, Callable[[Subject], Sequence[Check]]], ...] = (
        ("docker", "Engine", probes.engine),
        ("images", "Space", probes.images_room),
        ("weights", "Space", probes.weights_room),
        ("folders", "Space", probes.folders),
        ("memory", "Machine", probes.machine),
        ("ports", "Machine", probes.ports),
        ("clock", "Machine", probes.clock),
        ("settings", "Site", probes.settings),
        ("network", "Site", _network),
        ("cards", "Cards", probes.cards),
        ("catalog", "Stacks", stack_probes.catalog),
        ("stacks", "Stacks", stack_probes.locks),
        ("services", "Stacks", stack_probes.services),
        ("containers", "Stacks", stack_probes.husks),
    )
    return [_Look(name=name, group=group, run=partial(probe, subject)) for name, group, probe in of]


def _network(subject: Subject) -> Sequence[Check]:
    """Ask every address at the same time."""
    asked = [
        _Look(name=one.name, group="Site", run=partial(probes.reach, subject, one))
        for one in probes.addresses(subject)
    ]
    return (*probes.no_addresses(subject), *_together(asked, limit_s=LIMIT_S))


def _together(looks: Sequence[_Look], *, limit_s: float) -> tuple[Check, ...]:
    """Run every look in a thread of its own; what does not end in time is said, and left."""
    ended = in_time([partial(_guarded, look) for look in looks], limit_s=limit_s)
    late = "it did not end within its time"
    return tuple(
        _clean(check)
        for look, one in zip(looks, ended, strict=True)
        for check in (
            (_broken(look, late, f"The limit is {limit_s:g} s."),)
            if one.value is None
            else one.value
        )
    )


def _guarded(look: _Look) -> Sequence[Check]:
    try:
        return look.run()
    except TtctlError as error:
        said = " ".join(part for part in (error.why, error.evidence) if part)
        return (_broken(look, error.message.rstrip("."), said, fix=error.next_step),)
    except Exception as error:  # noqa: BLE001 - one look that breaks must not end the others
        return (_broken(look, "it could not be looked at", f"{type(error).__name__}: {error}"),)


def _broken(look: _Look, summary: str, evidence: str, *, fix: str = "") -> Check:
    return Check(
        name=look.name,
        group=look.group,
        verdict="failed",
        summary=summary,
        evidence=evidence,
        fix=fix or "ttctl doctor --debug",
    )


def _clean(check: Check) -> Check:
    """Take passwords out, whatever the check was made of."""
    return replace(
        check,
        summary=redacted(check.summary),
        evidence=redacted(check.evidence),
        fix=redacted(check.fix),
    )


def _diagnosis(subject: Subject, checks: Sequence[Check]) -> Diagnosis:
    ordered = tuple(sorted(checks, key=lambda check: GROUPS.index(check.group)))
    return counted(ordered, next_step=_first(subject, ordered))


def counted(checks: tuple[Check, ...], *, next_step: str) -> Diagnosis:
    """Return checks with how many there are of each verdict."""
    counts = Counter(check.verdict for check in checks)
    return Diagnosis(
        checks=checks,
        ok=counts["ok"],
        warnings=counts["warning"],
        failed=counts["failed"],
        skipped=counts["skipped"],
        next_step=next_step,
    )


def _first(subject: Subject, checks: Sequence[Check]) -> str:
    """Return what to type first: what mends a failure, or where all works, what it is for."""
    failed = [check for check in checks if check.verdict == "failed"]
    for check in failed:
        if check.fix:
            return "ttctl doctor --fix" if check.harmless else check.fix
    if any(check.harmless and check.verdict in BAD for check in checks):
        return "ttctl doctor --fix"
    if failed:
        return "ttctl doctor --debug"
    if subject.named is not None:
        return f"ttctl up {subject.named.model}"
    if not subject.stacks:
        return "ttctl up llama"
    warned = any(check.verdict in BAD for check in checks)
    # What was warned of is told with its fix above, and a status says nothing of it.
    return "" if warned else "ttctl status"
