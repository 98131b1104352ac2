# SPDX-License-Identifier: Apache-2.0
"""What a request means on this machine: the lock, the images, the stack, the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ttctl.model.plan import AS_NEEDED
from ttctl.model.spec import Request
from ttctl.operations.as_read import as_read
from ttctl.operations.beside import refuse_unfit, with_beside
from ttctl.operations.choice import (
    Choice,
    kept_spec,
    locked_choice,
    new_choice,
    remembered,
)
from ttctl.operations.ejected import ejected_of, with_ejected
from ttctl.operations.lock_values import lock_of
from ttctl.operations.one_door import behind_one_door
from ttctl.operations.render_folder import LOCK_NAME, hash_of_recipe_files, render_files
from ttctl.operations.serving import Serving, Terms, check_site, on_processor
from ttctl.operations.serving_cards import on_cards
from ttctl.operations.terms import terms_of, terms_of_own
from ttctl.operations.tls import wish_of
from ttctl.rules.first_validated import with_latest
from ttctl.rules.limits_asked import refuse_beyond
from ttctl.rules.override import judged, laid_over
from ttctl.rules.resolve import with_settings
from ttctl.rules.stack import stack_name
from ttctl.rules.tls import with_door

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.lock import Lock, LockedWeights
    from ttctl.model.override import Override
    from ttctl.model.plan import How
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.model.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """Everything that one `up` wants, before anything was looked at."""

    request: Request
    """With what was remembered of an earlier one."""
    choice: Choice
    lock: Lock
    spec: ModelSpec
    """The choice's spec with the limits that the request and the lock name."""
    base: BaseImage
    serving: Serving
    terms: Terms
    stack: Stack
    """What serves, with what the user laid over it."""
    files: dict[str, tuple[str, bool]]
    """Path to (text, executable) of the rendered folder, the lock among them."""
    override: Override | None = None
    """What the user laid over the compose file."""

    @property
    def images(self) -> tuple[ImageSpec, ...]:
        """Every image that the stack needs, parents first."""
        return self.serving.images

    @property
    def weights(self) -> LockedWeights:
        """Exactly which weights are served."""
        return self.choice.weights

    @property
    def all_weights(self) -> tuple[LockedWeights, ...]:
        """With those of the engines beside it, each once."""
        every = (self.choice.weights, *(one.choice.weights for one in self.choice.beside))
        return tuple(dict.fromkeys(every))


def desire(
    world: World,
    request: Request,
    *,
    how: How = AS_NEEDED,
    upgrade: bool = False,
    unlocked: bool = False,
    rendering: bool = False,
    hub: bool = True,
    folder: Path | None = None,
) -> Desired:
    """Resolve `request`; what is locked stays as it is until `upgrade`.

    Args:
        request: What is asked for.
        how: Whether images are to be pulled or built though they need not be.
        upgrade: Whether to ask again for what was locked before.
        unlocked: Whether to ask no hub and no registry: what only they know stays open.
        rendering: Whether it is only written down: for machines that are not this one, too.
        hub: Whether the hub may be asked; without, weights that are not locked stay open.
        folder: Where the files go and a compose.override.yaml may lie; None for the stack's own.

    Raises:
        UsageError: There is no such model, or a limit is beyond what was validated.
        NothingFitsError: It is not validated here, or the boards do not do for all of its engines.
        OfflineError: Its weights cannot be had and nothing stands in for them.
        BadFileError: The lock or the catalog is damaged.
    """
    check_site(world.site)
    name = stack_name(request)
    locked = world.store.lock(name)
    kept = None if locked is None or upgrade or unlocked else kept_spec(world, locked, request)
    previous = locked if kept is not None else None
    if not rendering:
        refuse_unfit(world, request, previous, kept)
    anew = partial(new_choice, world, unlocked=unlocked, rendering=rendering, hub=hub)
    choice = (
        locked_choice(previous, kept)
        if previous is not None and kept is not None
        else anew(request)
    )
    choice = with_beside(world, choice, request, previous, anew=anew)
    ejected = ejected_of(world, request, previous)
    request = _with_remembered(choice, request, previous)
    terms = terms_of(
        request, how, locked=locked, previous=previous, unlocked=unlocked, rendering=rendering
    )
    tls = wish_of(world, request, locked=locked, bind=terms.bind)
    override = world.folders.override(folder or world.store.folder(name))
    return desired_of(world, request, choice, replace(terms, ejected=ejected, tls=tls), override)


def _with_remembered(choice: Choice, request: Request, previous: Lock | None) -> Request:
    """Return the request with what a lock remembers, which was judged when it was asked for."""
    refuse_beyond(choice.spec, request)
    return remembered(request, previous)


def as_locked(world: World, name: str) -> Desired | None:
    """Return what a stack's lock is rendered to; None where this catalog has its entry no more.

    Asks neither a hub nor a registry.
    """
    locked = world.store.lock(name)
    if locked is None:
        return None
    request = Request(model=locked.requested, name=name)
    kept = kept_spec(world, locked, request)
    return None if kept is None else desire(world, request)


def desired_of(
    world: World, request: Request, choice: Choice, terms: Terms, override: Override | None
) -> Desired:
    """Return what a choice on these terms comes to; nothing is asked again."""
    chosen = with_latest(choice.spec) if request.values == "latest" else choice.spec
    spec = with_settings(chosen, request)
    serving = (
        on_processor(world, spec, choice, terms)
        if spec.pins is None
        else on_cards(world, spec, spec.pins, choice, terms_of_own(terms, spec))
    )
    serving = behind_one_door(world, spec, choice, terms, serving)
    serving = with_ejected(serving, terms.ejected, request)
    # Boards and hashes that come later change nothing of the images.
    terms = replace(terms, found=serving.all_found)
    read = as_read(world, choice, serving)
    if read is not choice:
        return desired_of(world, request, read, terms, override)
    stack = replace(laid_over(serving.stack, override), bind=terms.bind)
    stack = with_door(stack, terms.tls)
    lock = lock_of(
        world, request, choice, spec=spec, stack=stack, serving=serving, tls=terms.tls.mode
    )
    files = render_files(world, lock=lock, stack=stack, serving=serving, base=choice.base)
    lock = replace(lock, files_sha256=hash_of_recipe_files(files))
    files[LOCK_NAME] = (world.folders.lock_text(lock), False)
    return Desired(
        request=request,
        choice=choice,
        lock=lock,
        spec=spec,
        base=choice.base,
        serving=serving,
        terms=terms,
        stack=stack,
        files=files,
        override=judged(stack, override),
    )
