# SPDX-License-Identifier: Apache-2.0
"""What serves a request: what is locked while it answers, else what is chosen anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.errors import OfflineError, PrivilegeError
from ttctl.model.lock import LockedWeights
from ttctl.model.pins import BUILT
from ttctl.model.spec import Request
from ttctl.operations.choose import choose
from ttctl.operations.ungated import with_ungated
from ttctl.rules.derived import entries_of
from ttctl.rules.device_stack import refuse
from ttctl.rules.launch_values import is_on_the_hub, reads_original
from ttctl.rules.locked_entry import locked_entry
from ttctl.rules.mesh_device import mismatch
from ttctl.rules.recipe import CannotBuild, no_checkout, recipe_for
from ttctl.rules.resolve import resolve
from ttctl.rules.stack import stack_name
from ttctl.rules.supply_text import placed
from ttctl.rules.tasks import base_models, is_good_for

if TYPE_CHECKING:
    from ttctl.model.image import BaseImage
    from ttctl.model.lock import Lock
    from ttctl.model.match import Match
    from ttctl.model.pins import Pins
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec, Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What serves a request, and why."""

    spec: ModelSpec
    weights: LockedWeights
    base: BaseImage
    reason: str
    match: Match | None = None
    """How the entry was found; None where a lock names it."""
    services: tuple[str, ...] = ()
    """Further services of the stack, as they were asked for."""
    beside: tuple[Beside, ...] = ()
    """The engines among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What serves beside a stack's own engine."""

    service: str
    """Name of its container."""
    requested: str
    choice: Choice


def kept_spec(world: World, previous: Lock, request: Request) -> ModelSpec | None:
    """Return a lock's entry while it answers the request: same words, device and site's base."""
    site_base = world.site.base_image
    same_base = (
        previous.base.source == site_base.value if site_base else previous.base.origin != "site"
    )
    same_words = previous.requested == request.model
    same_entry = (
        request.device in {None, previous.device}
        and request.engine in {None, previous.engine}
        and request.implementation in {None, previous.implementation}
    )
    if not (same_words and same_base and same_entry):
        return None
    spec = locked_entry(world.catalog.specs(), previous)
    if spec is None or (request.task and not _is_made_for(world, spec, request.task)):
        return None
    return spec


def locked_request(world: World, stack: str) -> Request | None:
    """Return what brings a stack up as it is locked; None where its lock does not say that.

    It has none, or names an entry that the catalog has no more.
    """
    lock = world.store.lock(stack)
    if lock is None:
        return None
    named = Request(model=lock.requested, name=stack)
    if kept_spec(world, lock, named) is None:
        return None
    own = Request(model=lock.requested)
    return own if stack_name(own) == stack else named


def _is_made_for(world: World, spec: ModelSpec, task: str) -> bool:
    return is_good_for(spec, task, base=spec.model in base_models(world.catalog.specs()))


def locked_choice(previous: Lock, spec: ModelSpec) -> Choice:
    """Return what a lock names."""
    return Choice(spec=spec, weights=previous.weights, base=previous.base, reason=previous.reason)


def new_choice(
    world: World,
    request: Request,
    *,
    unlocked: bool = False,
    rendering: bool = False,
    hub: bool = True,
    base: BaseImage | None = None,
) -> Choice:
    """Choose anew, and resolve its weights and the base; `unlocked` asks nobody for them.

    Without `hub` it is left open which commit of the weights is meant. A `base` that is known, as
    of the engine that it stands beside, is not asked for again.

    What is never started is refused before anybody is asked, unless it is only written down.

    Raises:
        TtctlError: Nothing serves the request here, or its weights cannot be had.
    """
    found = choose(world, request)
    if (pins := found.spec.pins) and request.sources:
        _refuse_checkouts(world, pins, request)
    if pins and not rendering:
        refuse(found.spec, world.contracts[pins.contract])
    try:
        chosen, weights, reason = (
            _with_weights(world, found.spec)
            if hub and not unlocked
            else _with_named_weights(world, found.spec)
        )
    except PrivilegeError as refused:
        raise with_ungated(world, request, found, refused) from refused
    system = world.host.system()
    device = request.device or ""
    wrong = mismatch(system, device, said=f"--device {device}") if device else system.reason
    reason = f"{reason}; {wrong}" if wrong else reason
    if base is None:
        base = world.builder.base(world.site, offline=world.site.is_offline or unlocked)
    return Choice(spec=chosen, weights=weights, base=base, reason=reason, match=found)


def _refuse_checkouts(world: World, pins: Pins, request: Request) -> None:
    """Refuse checkouts of an entry that is not built from source, before anything else of it.

    Raises:
        UsageError: It is none.
    """
    found = recipe_for(pins, repositories=world.commits.repositories)
    if isinstance(found, CannotBuild):
        raise no_checkout(pins, found, request.sources[0].partition("=")[0])


def _with_weights(world: World, spec: ModelSpec) -> tuple[ModelSpec, LockedWeights, str]:
    """Resolve the weights, or those of the model that stands in where no hub answers."""
    reason = f"the catalog's entry for {spec.device}"
    if not is_on_the_hub(spec) and spec.weights.kind == "hub":
        return spec, _named(spec.weights), f"{reason}; its image fetches the weights itself"
    try:
        weights = world.weights.resolve(_source(world, spec), world.site)
    except OfflineError as offline:
        if not spec.offline_model:
            raise
        specs = entries_of(world.catalog.specs(), spec.engine)
        stand_in = resolve(specs, model=spec.offline_model, device=spec.device)
        cause = offline.message.rstrip(".")
        reason = f"stands in for {spec.model}: {cause[:1].lower()}{cause[1:]}"
        return stand_in, world.weights.resolve(stand_in.weights, world.site), reason
    return spec, weights, placed(reason, world.weights.supply(weights))


def _with_named_weights(world: World, spec: ModelSpec) -> tuple[ModelSpec, LockedWeights, str]:
    """Return the weights as the catalog names them; which commit that is stays open."""
    named = spec.weights
    reason = f"the catalog's entry for {spec.device}, unlocked"
    if named.kind == "bundled":
        return spec, world.weights.resolve(named, world.site), reason
    return spec, _named(named), reason


def _source(world: World, spec: ModelSpec) -> Weights:
    """Return where the weights come from, and in which layout the entry's image reads them."""
    contract = world.contracts.get(spec.pins.contract) if spec.pins else None
    original = contract is not None and reads_original(spec, contract)
    return replace(spec.weights, original=True) if original else spec.weights


def _named(weights: Weights) -> LockedWeights:
    return LockedWeights(kind=weights.kind, repository=weights.repository, revision="", files=())


def remembered(request: Request, previous: Lock | None) -> Request:
    """Fill what the request leaves open with what was locked before."""
    if previous is None:
        return request
    request = replace(
        request,
        values=request.values or ("latest" if previous.values else "first"),
        image_uid=request.image_uid or previous.image_uid or None,
    )
    if (request.values == "latest") is not bool(previous.values):
        # The limits belong to the other values.
        return replace(request, engine_args=request.engine_args or previous.engine_args)
    return replace(
        request,
        max_model_len=request.max_model_len or previous.max_model_len,
        max_num_seqs=request.max_num_seqs or previous.max_num_seqs,
        block_size=request.block_size or previous.block_size,
        engine_args=previous.engine_args if request.engine_args is None else request.engine_args,
    )


def built_before(previous: Lock | None) -> tuple[tuple[str, str], ...]:
    """Return (component, commit) of the image of ours that a lock names; nothing for another.

    What was built once stays what serves, until `lock --upgrade` or `--pull always`.
    """
    return previous.commits if previous is not None and previous.contract in BUILT else ()


def checkouts_before(previous: Lock | None) -> tuple[str, ...]:
    """Return the checkouts that a lock's images were built from, `COMPONENT=PATH`."""
    images = previous.images if previous is not None else ()
    return tuple(dict.fromkeys(one.unvalidated for one in images if one.unvalidated))
