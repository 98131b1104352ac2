# SPDX-License-Identifier: Apache-2.0
"""What a request means on this machine: the lock, the images, the stack, the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.model.plan import AS_NEEDED
from ttctl.model.spec import Request, Weights
from ttctl.operations.choice import Choice, kept_spec, locked_choice, new_choice, remembered
from ttctl.operations.foreign import refuse_foreign
from ttctl.operations.lock_values import lock_of
from ttctl.operations.render_folder import LOCK_NAME, hash_of_recipe_files, render_files
from ttctl.operations.serving import Serving, Terms, check_site, on_processor
from ttctl.operations.serving_cards import OWN, on_cards
from ttctl.rules.first_validated import with_latest
from ttctl.rules.limits_asked import refuse_beyond
from ttctl.rules.order import Observed, steps_to_up
from ttctl.rules.override import laid_over
from ttctl.rules.resolve import with_settings
from ttctl.rules.stack import DEFAULT_PORT, stack_name

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.image import BaseImage, ImageSpec
    from ttctl.model.lease import Leased
    from ttctl.model.lock import Lock, LockedWeights
    from ttctl.model.override import Override
    from ttctl.model.plan import How, Plan
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


def desire(
    world: World,
    request: Request,
    *,
    how: How = AS_NEEDED,
    upgrade: bool = False,
    unlocked: bool = False,
    rendering: bool = False,
    folder: Path | None = None,
) -> Desired:
    """Resolve `request`; what is locked stays as it is until `upgrade`.

    Args:
        request: What is asked for.
        how: Whether images are to be pulled or built though they need not be.
        upgrade: Whether to ask again for what was locked before.
        unlocked: Whether to ask no hub and no registry: what only they know stays open.
        rendering: Whether it is only written down: for machines that are not this one, too.
        folder: Where the files go and a compose.override.yaml may lie; None for the stack's own.

    Raises:
        UsageError: There is no such model, or a limit is beyond what was validated.
        NothingFitsError: It is not validated here.
        OfflineError: Its weights cannot be had and nothing stands in for them.
        BadFileError: The lock or the catalog is damaged.
    """
    check_site(world.site)
    name = stack_name(request)
    locked = world.store.lock(name)
    anew = locked is None or upgrade or unlocked
    kept = None if locked is None or anew else kept_spec(world, locked, request)
    previous = locked if kept is not None else None
    choice = (
        locked_choice(previous, kept)
        if previous is not None and kept is not None
        else new_choice(world, request, unlocked=unlocked, rendering=rendering)
    )
    request = _with_remembered(choice, request, previous)
    terms = Terms(
        name=name,
        port=request.port or (locked.port if locked else DEFAULT_PORT),
        how=how,
        unlocked=unlocked,
        rendering=rendering,
        sources=request.sources,
        locked=_images_by_digest(previous),
    )
    override = world.folders.override(folder or world.store.folder(name))
    return _desired(world, request, choice, terms, override)


def _with_remembered(choice: Choice, request: Request, previous: Lock | None) -> Request:
    """Return the request with what a lock remembers, which was judged when it was asked for."""
    refuse_beyond(choice.spec, request)
    return remembered(request, previous)


def _images_by_digest(previous: Lock | None) -> tuple[tuple[str, str], ...]:
    images = previous.images if previous is not None else ()
    return tuple((one.name, one.reference) for one in images if "@" in one.reference)


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


def with_known_hashes(world: World, desired: Desired) -> Desired:
    """Return `desired` with the hashes that its weights have shown now that they are here.

    A hub tells the hashes of its large files only; those of the others are known after a fetch.
    """
    if all(file.sha256 for file in desired.weights.files):
        return desired
    source = Weights(
        kind=desired.weights.kind,
        repository=desired.weights.repository,
        revision=desired.weights.revision,
        original=desired.weights.original,
    )
    choice = replace(desired.choice, weights=world.weights.resolve(source, world.site))
    return _desired(world, desired.request, choice, desired.terms, desired.override)


def on_boards(world: World, desired: Desired, leased: Leased) -> Desired:
    """Return `desired` with the boards that its stack leases, and where they are opened now."""
    terms = replace(desired.terms, leased=leased)
    return _desired(world, desired.request, desired.choice, terms, desired.override)


def _desired(
    world: World, request: Request, choice: Choice, terms: Terms, override: Override | None
) -> Desired:
    chosen = with_latest(choice.spec) if request.values == "latest" else choice.spec
    spec = with_settings(chosen, request)
    serving = (
        on_processor(world, spec, choice, terms)
        if spec.pins is None
        else on_cards(world, spec, spec.pins, choice, terms)
    )
    # Boards and hashes that come later change nothing of the images.
    terms = replace(terms, found=serving.found)
    if serving.stack.contract == OWN and choice.weights.original:
        # Images that we build read the hub's files, whatever the prebuilt one of the entry reads.
        weights = replace(choice.spec.weights, revision=choice.weights.revision)
        choice = replace(choice, weights=world.weights.resolve(weights, world.site))
        return _desired(world, request, choice, terms, override)
    stack = laid_over(serving.stack, override)
    lock = lock_of(world, request, choice, spec=spec, stack=stack, serving=serving)
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
        override=override,
    )


def has_weights(world: World, weights: LockedWeights) -> bool:
    """Return whether nothing of the weights has to be fetched."""
    if not weights.revision and weights.kind == "hub":
        # A repository of the hub has a commit once it is asked for; others the image fetches.
        return "/" not in weights.repository
    return world.weights.is_complete(weights)


def plan_for(world: World, desired: Desired, how: How = AS_NEEDED) -> Plan:
    """Look at what is there and return the steps that lead to what is wanted."""
    stack = desired.stack
    containers = world.engine.containers(stack.name)
    refuse_foreign(world, stack.name, containers)
    references = {desired.base.reference, *(image.reference for image in desired.images)}
    folder = world.store.folder(stack.name)
    wanted = {path: text for path, (text, _) in desired.files.items()}
    observed = Observed(
        images=frozenset(name for name in references if world.engine.has_image(name)),
        weights_complete=has_weights(world, desired.weights),
        has_key=world.keys.has_key(stack.name),
        folder_matches=world.folders.read_folder(folder) == wanted,
        containers=containers,
        leased=desired.terms.leased,
    )
    made = steps_to_up(
        stack,
        desired.images,
        base=desired.base,
        weights=desired.weights,
        observed=observed,
        how=how,
    )
    return replace(made, override=desired.override)
