# SPDX-License-Identifier: Apache-2.0
"""What a request means on this machine: the lock, the images, the stack, the files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import OfflineError
from ttctl.model.lock import Lock, LockedImage
from ttctl.model.plan import AS_NEEDED
from ttctl.model.spec import Weights
from ttctl.operations.choose import choose, refuse_prebuilt
from ttctl.operations.foreign import refuse_foreign
from ttctl.operations.render_folder import LOCK_NAME, render_files
from ttctl.rules import fingerprint
from ttctl.rules.experimental import experimental
from ttctl.rules.images import check_reference, prebuilt, specs_for
from ttctl.rules.mesh_device import mismatch
from ttctl.rules.order import Observed, steps_to_up
from ttctl.rules.resolve import resolve, with_settings
from ttctl.rules.services import stack_of
from ttctl.rules.stack import DEFAULT_PORT, stack_name
from ttctl.rules.tasks import base_models, is_good_for

if TYPE_CHECKING:
    from ttctl.model.image import BaseImage, ImageRecipe, ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.match import Match
    from ttctl.model.plan import How, Plan
    from ttctl.model.protocols import World
    from ttctl.model.service import ServiceDefaults, Stack
    from ttctl.model.site import Site
    from ttctl.model.spec import ModelSpec, Request

GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What serves a request, and why."""

    spec: ModelSpec
    weights: LockedWeights
    base: BaseImage
    reason: str
    match: Match | None = None
    """How the entry was found; None where a lock names it."""


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


def desire(world: World, request: Request, *, upgrade: bool = False) -> Desired:
    """Resolve `request`; what is locked stays as it is until `upgrade`.

    Raises:
        UsageError: There is no such model.
        NothingFitsError: It is not validated on this machine's device.
        OfflineError: Its weights cannot be had and nothing stands in for them.
        BadFileError: The lock or the catalog is damaged.
    """
    _check_references(world.site)
    name = stack_name(request)
    locked = world.store.lock(name)
    kept = _kept_spec(world, locked, request) if locked is not None and not upgrade else None
    previous = locked if kept is not None else None
    choice = (
        _locked_choice(previous, kept)
        if previous is not None and kept is not None
        else _new_choice(world, request)
    )
    request = _remembered(request, previous)
    spec = with_settings(choice.spec, request)
    port = request.port or (locked.port if locked else DEFAULT_PORT)
    return _desired(world, request, choice, spec=spec, port=port)


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
    return _desired(world, desired.request, choice, spec=desired.spec, port=desired.stack.port)


def _desired(
    world: World, request: Request, choice: Choice, *, spec: ModelSpec, port: int
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
    lock = _lock(world, request, choice, spec=spec, stack=stack, images=images)
    files = render_files(
        world, lock=lock, stack=stack, images=images, base=choice.base, gateway_config=config
    )
    lock = replace(lock, files_sha256=_hash_of_recipe_files(files))
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
    return steps_to_up(
        stack,
        desired.images,
        base=desired.base,
        weights=desired.weights,
        observed=observed,
        how=how,
    )


def _check_references(site: Site) -> None:
    for one in (site.base_image, site.engine_image):
        if one is not None:
            check_reference(one)


def _kept_spec(world: World, previous: Lock, request: Request) -> ModelSpec | None:
    """Return a lock's entry while it answers the request: same words, device and site's base."""
    site_base = world.site.base_image
    same_base = (
        previous.base.source == site_base.value if site_base else previous.base.origin != "site"
    )
    same_words = previous.requested == request.model
    if not (same_words and same_base and request.device in {None, previous.device}):
        return None
    spec = _locked_spec(world, previous)
    if spec is None or (request.task and not _is_made_for(world, spec, request.task)):
        return None
    return spec


def _is_made_for(world: World, spec: ModelSpec, task: str) -> bool:
    return is_good_for(spec, task, base=spec.model in base_models(world.catalog.specs()))


def _locked_spec(world: World, previous: Lock) -> ModelSpec | None:
    """Return the entry that a lock names, None where the catalog has it no more."""
    specs = world.catalog.specs()
    if previous.experimental:
        of_model = [spec for spec in specs if spec.model == previous.model]
        return next(iter(experimental(of_model, specs, device=previous.device)), None)
    named = (spec for spec in specs if spec.model == previous.model)
    return next((spec for spec in named if spec.device == previous.device), None)


def _locked_choice(previous: Lock, spec: ModelSpec) -> Choice:
    return Choice(spec=spec, weights=previous.weights, base=previous.base, reason=previous.reason)


def _new_choice(world: World, request: Request) -> Choice:
    found = choose(world, request)
    refuse_prebuilt(found.spec, request.model)
    chosen, weights, reason = _with_weights(world, found.spec)
    system = world.host.system()
    device = request.device or ""
    wrong = mismatch(system, device, said=f"--device {device}") if device else system.reason
    reason = f"{reason}; {wrong}" if wrong else reason
    base = world.builder.base(world.site, offline=world.site.is_offline)
    return Choice(spec=chosen, weights=weights, base=base, reason=reason, match=found)


def _with_weights(world: World, spec: ModelSpec) -> tuple[ModelSpec, LockedWeights, str]:
    """Resolve the weights, or those of the model that stands in where no hub answers."""
    try:
        weights = world.weights.resolve(spec.weights, world.site)
    except OfflineError as offline:
        if not spec.offline_model:
            raise
        stand_in = resolve(world.catalog.specs(), model=spec.offline_model, device=spec.device)
        cause = offline.message.rstrip(".")
        reason = f"stands in for {spec.model}: {cause[:1].lower()}{cause[1:]}"
        return stand_in, world.weights.resolve(stand_in.weights, world.site), reason
    return spec, weights, f"the catalog's entry for {spec.device}"


def _remembered(request: Request, previous: Lock | None) -> Request:
    """Fill what the request leaves open with what was locked before."""
    if previous is None:
        return request
    return replace(
        request,
        max_model_len=request.max_model_len or previous.max_model_len,
        max_num_seqs=request.max_num_seqs or previous.max_num_seqs,
        block_size=request.block_size or previous.block_size,
        engine_args=previous.engine_args if request.engine_args is None else request.engine_args,
    )


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


def _hash_of_recipe_files(files: dict[str, tuple[str, bool]]) -> str:
    """Hash what is the same in every place: not .env, and nothing under site/."""
    recipe = {
        path: text
        for path, (text, _) in files.items()
        if path not in {".env", LOCK_NAME} and not path.startswith("site/")
    }
    return fingerprint.of_files(recipe)
