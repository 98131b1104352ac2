# SPDX-License-Identifier: Apache-2.0
"""What a request means on this machine: the lock, the images, the stack, the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.model.lock import Lock, LockedImage
from ttctl.model.plan import AS_NEEDED
from ttctl.model.spec import Request, Weights
from ttctl.operations.choice import Choice, kept_spec, locked_choice, new_choice, remembered
from ttctl.operations.foreign import refuse_foreign
from ttctl.operations.render_folder import LOCK_NAME, hash_of_recipe_files, render_files
from ttctl.rules.images import check_reference, prebuilt, specs_for
from ttctl.rules.order import Observed, steps_to_up
from ttctl.rules.override import laid_over
from ttctl.rules.resolve import with_settings
from ttctl.rules.services import stack_of
from ttctl.rules.stack import DEFAULT_PORT, stack_name

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.image import BaseImage, ImageRecipe, ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.override import Override
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.service import ServiceDefaults, Stack
    from ttctl.model.site import Site
    from ttctl.model.spec import ModelSpec

GATEWAY = "gateway"


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
    images: tuple[ImageSpec, ...]
    stack: Stack
    weights: LockedWeights
    engine: ServiceDefaults
    files: dict[str, tuple[str, bool]]
    """Path to (text, executable) of the rendered folder, the lock among them."""
    override: Override | None = None
    """What the user laid over the compose file."""


def desire(
    world: World,
    request: Request,
    *,
    upgrade: bool = False,
    unlocked: bool = False,
    folder: Path | None = None,
) -> Desired:
    """Resolve `request`; what is locked stays as it is until `upgrade`.

    Args:
        world: Everything outside.
        request: What is asked for.
        upgrade: Whether to ask again for what was locked before.
        unlocked: Whether to ask no hub and no registry: what only they know stays open.
        folder: Where the files go and a compose.override.yaml may lie; None for the stack's own.

    Raises:
        UsageError: There is no such model.
        NothingFitsError: It is not validated on this machine's device.
        OfflineError: Its weights cannot be had and nothing stands in for them.
        BadFileError: The lock or the catalog is damaged.
    """
    _check_references(world.site)
    name = stack_name(request)
    locked = world.store.lock(name)
    anew = locked is None or upgrade or unlocked
    kept = None if locked is None or anew else kept_spec(world, locked, request)
    previous = locked if kept is not None else None
    choice = (
        locked_choice(previous, kept)
        if previous is not None and kept is not None
        else new_choice(world, request, unlocked=unlocked)
    )
    request = remembered(request, previous)
    spec = with_settings(choice.spec, request)
    port = request.port or (locked.port if locked else DEFAULT_PORT)
    override = world.folders.override(folder or world.store.folder(name))
    return _desired(world, request, choice, spec=spec, port=port, override=override)


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
    )
    choice = replace(desired.choice, weights=world.weights.resolve(source, world.site))
    return _desired(
        world,
        desired.request,
        choice,
        spec=desired.spec,
        port=desired.stack.port,
        override=desired.override,
    )


def _desired(
    world: World,
    request: Request,
    choice: Choice,
    *,
    spec: ModelSpec,
    port: int,
    override: Override | None,
) -> Desired:
    images = _images(world, spec, choice.base)
    gateway = world.recipes.defaults(GATEWAY)
    engine = world.recipes.defaults(spec.image)
    config = _gateway_config(world, engine=engine, gateway=gateway)
    stack = stack_of(
        spec,
        name=stack_name(request),
        port=port,
        images={image.name: image for image in images},
        engine=engine,
        gateway=gateway,
        weights=choice.weights,
        gateway_config=config,
    )
    stack = laid_over(stack, override)
    lock = _lock(world, request, choice, spec=spec, stack=stack, images=images)
    files = render_files(
        world, lock=lock, stack=stack, images=images, base=choice.base, gateway_config=config
    )
    lock = replace(lock, files_sha256=hash_of_recipe_files(files))
    files[LOCK_NAME] = (world.folders.lock_text(lock), False)
    return Desired(
        request=request,
        choice=choice,
        lock=lock,
        spec=spec,
        base=choice.base,
        images=images,
        stack=stack,
        weights=choice.weights,
        engine=engine,
        files=files,
        override=override,
    )


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
        weights_complete=world.weights.is_complete(desired.weights),
        has_key=world.keys.has_key(stack.name),
        folder_matches=world.folders.read_folder(folder) == wanted,
        containers=containers,
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


def _check_references(site: Site) -> None:
    for one in (site.base_image, site.engine_image):
        if one is not None:
            check_reference(one)


def _images(world: World, spec: ModelSpec, base: BaseImage) -> tuple[ImageSpec, ...]:
    recipes = _recipes(world, spec.image) | _recipes(world, GATEWAY)
    if world.site.engine_image is not None:
        own = specs_for(recipes, (GATEWAY,), base=base, render=world.recipes.render)
        return (*own, prebuilt(spec.image, world.site.engine_image.value))
    return specs_for(recipes, (spec.image, GATEWAY), base=base, render=world.recipes.render)


def _recipes(world: World, name: str) -> dict[str, ImageRecipe]:
    recipes: dict[str, ImageRecipe] = {}
    while name and name not in recipes:
        recipes[name] = world.recipes.recipe(name)
        name = recipes[name].parent
    return recipes


def _gateway_config(world: World, *, engine: ServiceDefaults, gateway: ServiceDefaults) -> str:
    return world.recipes.template(
        "gateway/haproxy.cfg.j2",
        {
            "engine": "vllm",
            "engine_port": engine.port,
            "paths": list(gateway.paths),
            "max_body_bytes": gateway.max_body_bytes,
            "retry_after_s": gateway.retry_after_s,
        },
    )


def _lock(
    world: World,
    request: Request,
    choice: Choice,
    *,
    spec: ModelSpec,
    stack: Stack,
    images: tuple[ImageSpec, ...],
) -> Lock:
    return Lock(
        stack=stack.name,
        requested=request.model,
        model=spec.model,
        device=spec.device,
        engine=spec.engine,
        reason=choice.reason,
        max_model_len=spec.limits.max_model_len,
        max_num_seqs=spec.limits.max_num_seqs,
        block_size=spec.limits.block_size,
        port=stack.port,
        base=choice.base,
        images=tuple(
            LockedImage(
                name=one.name,
                reference=one.reference,
                fingerprint=one.fingerprint,
                unvalidated=f"{one.source.component}={one.source.path}" if one.source else "",
            )
            for one in images
        ),
        weights=choice.weights,
        catalog_sha256=world.catalog.sha256(),
        engine_args=request.engine_args or (),
        experimental=spec.experimental,
    )
