# SPDX-License-Identifier: Apache-2.0
"""Which engines has a stack, and by which prefix does its gateway lead to each? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.pins import OWN
from ttctl.rules.stack import service_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.lock import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An engine of a stack."""

    service: str
    """Name of its container."""
    model: str
    device: str
    engine: str
    contract: str
    """How its image is launched."""
    base: str
    """What stands before its paths, `/api`; empty where it is the only one behind the gateway."""


def parts_of(lock: Lock) -> tuple[Part, ...]:
    """Return the engines of a stack, its own first."""
    own = service_name(lock.engine)
    several = bool(lock.services)
    return (
        Part(
            service=own,
            model=lock.model,
            device=lock.device,
            engine=lock.engine,
            contract=lock.contract,
            base=f"/{own}" if several else "",
        ),
        *(
            Part(
                service=one.service,
                model=one.model,
                device=one.device,
                engine=one.engine,
                # On the processor it is an image of ours.
                contract=one.contract or OWN,
                base=f"/{one.service}",
            )
            for one in lock.beside
        ),
    )


def part_named(parts: Sequence[Part], service: str, *, stack: str, asks: str, does: str) -> Part:
    """Return the engine of a stack that has this name.

    Args:
        parts: Those that do what is wanted.
        service: What was typed.
        stack: Whose engines they are.
        asks: The command that asks them, `ttctl chat`.
        does: What they do, `talks`.

    Raises:
        UsageError: None of them has it.
    """
    for part in parts:
        if part.service == service:
            return part
    known = [part.service for part in parts]
    raise UsageError(
        f"The stack {stack!r} has no service {service!r} that {does}.",
        why="A service is named as `ttctl status` lists it.",
        evidence=f"Services that {does.removesuffix('s')}: {', '.join(known) or 'none'}.",
        next_step=f"{asks} --stack {stack} --service {known[0]}"
        if known
        else f"ttctl status {stack}",
        mistyped=service,
        meant=next(iter(get_close_matches(service, known, n=1)), ""),
    )
