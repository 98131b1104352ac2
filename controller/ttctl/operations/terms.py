# SPDX-License-Identifier: Apache-2.0
"""On which terms a request is served: what it says, and what a lock keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.pins import OWN
from ttctl.operations.choice import built_before, checkouts_before
from ttctl.operations.serving import Terms
from ttctl.rules.recipe import DEFAULT_UID
from ttctl.rules.stack import BIND, DEFAULT_PORT, service_name, stack_name

if TYPE_CHECKING:
    from ttctl.model.lock import Lock, LockedImage
    from ttctl.model.plan import How
    from ttctl.model.spec import ModelSpec, Request


def terms_of(
    request: Request,
    how: How,
    *,
    locked: Lock | None,
    previous: Lock | None,
    unlocked: bool,
    rendering: bool,
) -> Terms:
    """Return the terms of a request.

    Args:
        request: What is asked for, with what was remembered.
        how: Whether images are to be pulled or built though they need not be.
        locked: The stack's lock; None where it has none.
        previous: The same, where it answers the request.
        unlocked: Whether nobody is asked for what only a registry or a repository knows.
        rendering: Whether it is only written down.
    """
    built = () if how.pull == "always" else built_before(previous)
    return Terms(
        name=stack_name(request),
        port=request.port or (locked.port if locked else DEFAULT_PORT),
        bind=request.host or (locked.bind if locked else "") or BIND,
        any_port=request.port is None and locked is None,
        how=how,
        unlocked=unlocked,
        rendering=rendering,
        sources=request.sources,
        checkouts=checkouts_before(previous) if built and not request.sources else (),
        uid=request.image_uid or DEFAULT_UID,
        locked=_images_by_digest(previous),
        built=built,
        beside=previous.beside if previous is not None and how.pull != "always" else (),
    )


def terms_of_own(terms: Terms, spec: ModelSpec) -> Terms:
    """Return the terms of a stack's own engine, with its part of the boards."""
    leased = terms.leased.of(service_name(spec.engine)) if terms.leased else None
    return replace(terms, leased=leased)


def terms_beside(terms: Terms, service: str) -> Terms:
    """Return the terms of an engine beside the stack's own; --source and --image-uid are not its.

    Args:
        terms: The stack's.
        service: Name of the engine's container.
    """
    locked = next((one for one in terms.beside if one.service == service), None)
    return replace(
        terms,
        service=service,
        sources=(),
        checkouts=(),
        uid=DEFAULT_UID,
        leased=terms.leased.of(service) if terms.leased else None,
        locked=tuple(one for one in terms.locked if locked and one.reference == locked.image),
        built=locked.commits if locked is not None and locked.contract == OWN else (),
    )


def _images_by_digest(previous: Lock | None) -> tuple[LockedImage, ...]:
    images = previous.images if previous is not None else ()
    return tuple(one for one in images if "@" in one.reference)
