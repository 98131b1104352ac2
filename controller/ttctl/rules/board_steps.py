# SPDX-License-Identifier: Apache-2.0
"""What does a plan do with boards before their engine starts? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.plan import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.lease import Leased
    from ttctl.model.service import Stack

BOTH = "the whole board is leased, as a reset takes both chips"


def board_steps(stack: Stack, services: Sequence[Step], leased: Leased | None) -> tuple[Step, ...]:
    """Return the steps for the boards of a stack; none where it opens no node.

    Args:
        stack: What is wanted.
        services: The steps of its services, in their order.
        leased: The boards that it would get; None while none is chosen.
    """
    engines = [one for one in stack.services if one.nodes]
    names = {one.name for one in engines}
    if not engines:
        return ()
    starts = any(one.verb == "start" and one.subject in names for one in services)
    if leased is None:
        return _to_be_chosen([(one.name, stack.card_of(one).device) for one in engines])
    if leased.parts and starts:
        resets = [one for one in (_reset(leased),) if one]
        return (*resets, *(_lease(part, _for(name)) for name, part in leased.parts))
    subject = ", ".join(leased.ids)
    if not starts:
        return (Step(verb="skip", subject=subject, reason="the stack has these boards"),)
    reset, lease = _reset(leased), _lease(leased)
    return (reset, lease) if reset else (lease,)


def _to_be_chosen(engines: Sequence[tuple[str, str]]) -> tuple[Step, ...]:
    devices = dict(engines) if len(engines) > 1 else {"": engines[0][1]}
    return tuple(
        Step(
            verb="lease",
            subject=device,
            reason=f"{_for(service)}boards that make up {device} are chosen at the start",
        )
        for service, device in devices.items()
    )


def _for(service: str) -> str:
    return f"for {service}: " if service else ""


def _reset(leased: Leased) -> Step | None:
    if not leased.dirty:
        return None
    why = "; ".join(leased.dirty)
    return Step(verb="reset", subject=", ".join(leased.ids), reason=f"with consent: {why}")


def _lease(leased: Leased, said: str = "") -> Step:
    return Step(verb="lease", subject=", ".join(leased.ids), reason=f"{said}{_why(leased)}")


def _why(leased: Leased) -> str:
    nodes = ", ".join(leased.nodes)
    said = f"{_who(leased)}; now at {nodes}"
    if leased.part_of:
        said = f"{_who(leased)}; one chip of {leased.part_of}, now at {nodes}; {BOTH}"
    if leased.stale:
        said = f"{said}; with consent {stale_text(leased)} removed"
    return f"{said}; {passed_text(leased)}" if leased.passed else said


def _who(leased: Leased) -> str:
    them = "it" if len(leased.ids) == 1 else "them"
    if set(leased.ids) <= set(leased.own):
        return f"this stack has {them}"
    return f"nobody {'else ' if leased.own else ''}has {them}"


def passed_text(leased: Leased) -> str:
    """Name boards that are left alone, and what puts them in order; empty where there are none."""
    if not leased.passed:
        return ""
    ids = [id_ for id_, _ in leased.passed]
    why = "; ".join(dict.fromkeys(why for _, why in leased.passed))
    need = f"board {ids[0]} needs" if len(ids) == 1 else f"boards {', '.join(ids)} need"
    taken = f"and {'is' if len(ids) == 1 else 'are'} not taken ({why})"
    return f"{need} a reset {taken}: ttctl devices reset {' '.join(ids)}"


def stale_text(leased: Leased) -> str:
    """Name what a killed engine left on the hugepages."""
    files = ", ".join(f"/dev/hugepages-1G/{name}" for name in leased.stale)
    return f"{files}, which a killed engine left, {'is' if len(leased.stale) == 1 else 'are'}"
