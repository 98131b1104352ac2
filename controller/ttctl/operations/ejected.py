# SPDX-License-Identifier: Apache-2.0
"""Which services of a stack are the user's own, and what is built of them?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.rules.ejected import folders_in, image_for, in_stack, with_child
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from ttctl.model.ejected import Ejected
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.model.spec import Request
    from ttctl.operations.serving import Serving


def ejected_of(world: World, request: Request, previous: Lock | None) -> tuple[Ejected, ...]:
    """Read the folders that are asked for, or else those that a lock remembers.

    Raises:
        UsageError: One is no such folder, or two are of one service.
        BadFileError: Something in one is not what it must be.
    """
    remembered = folders_in(previous.images) if previous is not None else ()
    folders = remembered if request.ejected is None else request.ejected
    without = typed("up", replace(request, ejected=()))
    next_step = "ttctl eject --help" if request.ejected else f"{without}   # ttctl's own again"
    found = tuple(world.ejections.read(folder, next_step=next_step) for folder in folders)
    by_service = {one.service: one for one in found}
    for one in found:
        if by_service[one.service] != one:
            raise UsageError(
                f"Two folders stand for the service {one.service!r}.",
                why="A service of a stack runs one image.",
                evidence=f"{one.folder}, {by_service[one.service].folder}",
                next_step=typed("up", replace(request, ejected=(one.folder,))),
            )
    return tuple(by_service.values())


def with_ejected(serving: Serving, ejected: tuple[Ejected, ...], request: Request) -> Serving:
    """Return what serves with the user's services in place of ours.

    What is only remembered of a service that the stack has no more is let go.

    Raises:
        UsageError: The stack has no such service, or its image is not built here.
        BadFileError: A Dockerfile stands on something else than the service's image.
    """
    for one in ejected:
        found = {service.name: service.image for service in serving.stack.services}
        if one.service in found:
            serving = _with(serving, one, product=found[one.service])
        elif request.ejected is not None:
            raise _no_such_service(one, request, [*found])
    return serving


def _with(serving: Serving, one: Ejected, *, product: str) -> Serving:
    below = next(image for image in serving.images if image.reference == product)
    if below.prebuilt:
        raise UsageError(
            f"The service {one.service!r} runs an image that ttctl does not build here.",
            why="A folder is laid over an image of ttctl's own.",
            evidence=f"{one.folder} was made for {one.image}; here runs {product}.",
            next_step="ttctl eject --help",
        )
    image = image_for(one, below)
    return replace(
        serving,
        images=with_child(serving.images, image),
        stack=in_stack(serving.stack, image, service=one.service),
    )


def _no_such_service(one: Ejected, request: Request, names: list[str]) -> UsageError:
    services = (*(request.services or ()), one.service)
    return UsageError(
        f"The stack of {request.model!r} has no service {one.service!r}.",
        why="A folder takes the place of a service that the stack has.",
        evidence=f"{one.folder} is {one.service}; the stack has {', '.join(names)}.",
        next_step=typed("up", replace(request, services=services)),
    )
