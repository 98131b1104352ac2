# SPDX-License-Identifier: Apache-2.0
"""Of which stack is a service taken? Of the one that is here, as it is locked, where one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.spec import Request
from ttctl.rules.beside import CHAT_SERVICE, wants_page
from ttctl.rules.eject import asked_of
from ttctl.rules.parts import parts_of
from ttctl.rules.stack import GATEWAY_SERVICE, names_of

if TYPE_CHECKING:
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World


def request_of(
    world: World, service: str, *, model: str | None, name: str | None, device: str | None
) -> Request:
    """Return what brings a service's stack up; what else is in a stack that is here stays in it.

    Args:
        world: Everything outside.
        service: Name of its container.
        model: The model or the stack that was named; None for the usual one.
        name: The stack's name; None for the model's.
        device: Device type; None for what is found.
    """
    asked = asked_of(service, model)
    lock = _lock(world, (name,) if name else names_of(asked.model))
    if lock is None or model not in {None, lock.requested, lock.stack}:
        return Request(
            model=asked.model,
            engine=asked.engine,
            services=asked.services,
            name=name,
            device=device,
        )
    return Request(
        model=lock.requested,
        services=None if service in _services(lock) else (*lock.services, service),
        name=None if lock.stack in names_of(lock.requested) else lock.stack,
        device=device,
    )


def _lock(world: World, names: tuple[str, ...]) -> Lock | None:
    known = world.store.stacks()
    return next((world.store.lock(name) for name in names if name in known), None)


def _services(lock: Lock) -> set[str]:
    page = {CHAT_SERVICE} if wants_page(lock.services) else set()
    return {GATEWAY_SERVICE, *page, *(part.service for part in parts_of(lock))}
