# SPDX-License-Identifier: Apache-2.0
"""Say a plan as the lines to type: what has to be there first, then docker's own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import (
    EngineError,
    HeldError,
    NoDeviceError,
    OfflineError,
    PrivilegeError,
)
from ttctl.model.plan import AS_NEEDED, Plan
from ttctl.operations.desire import desire
from ttctl.operations.plan import plan
from ttctl.operations.preview import is_elsewhere
from ttctl.operations.render_folder import LOCK_NAME, dotenv_values, is_unresolved
from ttctl.operations.start import on_free_boards
from ttctl.operations.steps import has_weights
from ttctl.rules.device_stack import refuse
from ttctl.rules.docker_run import typed_commands
from ttctl.rules.interpolation import HERE
from ttctl.rules.launch_values import is_on_the_hub
from ttctl.rules.prepare_script import fetch_words, levels
from ttctl.rules.renderable import check_stack
from ttctl.rules.serve_line import serve_lines
from ttctl.rules.several import WEIGHTS, weights_variable
from ttctl.rules.typed_request import engine_words, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.lock import LockedWeights
    from ttctl.model.plan import How
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec, Request
    from ttctl.operations.desire import Desired
    from ttctl.rules.docker_run import Command


def plan_with_commands(
    world: World, request: Request, how: How = AS_NEEDED
) -> tuple[Plan, OfflineError | None]:
    """Return the plan with the commands that it stands for, and why `up` would refuse it.

    For a card of another machine nobody is asked for what only a hub or a registry knows; for one
    of this machine the same is left open where they do not answer.

    Raises:
        NothingFitsError: It spans several hosts; each has a folder of its own.
        OfflineError: So it is for the processor, whose plan needs them.
    """
    device = request.device or world.host.system().device
    if is_elsewhere(world, device):
        elsewhere = desire(world, request, unlocked=True, rendering=True)
        if elsewhere.serving.further:
            # Commands of one host alone serve nothing.
            refuse(elsewhere.spec, world.contracts[elsewhere.stack.contract])
        return _unlocked(world, elsewhere), None
    try:
        desired, made = plan(world, request, how)
    except OfflineError as refusal:
        if device == "cpu":
            raise
        desired = desire(world, request, unlocked=True, rendering=True)
        if desired.spec.pins is None:
            raise
        with suppress(EngineError, HeldError, NoDeviceError, PrivilegeError):
            desired = on_free_boards(world, desired)
        return _unlocked(world, desired), refusal
    if desired.spec.pins is None:
        return replace(made, commands=commands(world, desired)), None
    first = _first(world, desired, how, asked=True)
    said = _said(world, desired)
    known = replace(made, serve=said.serve, unresolved=said.unresolved)
    return replace(known, commands=(*first, *said.commands)), None


def commands(world: World, desired: Desired) -> tuple[Command, ...]:
    """Return the docker commands that make the stack; on the processor, then the engine's own.

    Raises:
        BadFileError: The .env file lacks a value, or a field cannot be said.
    """
    stack = desired.stack
    check_stack(stack)
    place = dotenv_values(world, desired.lock, stack, desired.serving)
    values = {
        **place,
        **{
            name: place[name] or _weights_place(weights)
            for name, weights in _weights_by_variable(desired)
        },
        HERE: str(world.store.folder(stack.name)),
    }
    engine = stack.engine
    served = () if desired.spec.pins else ((*engine.entrypoint, *engine.command),)
    return (*typed_commands(stack, values), *served)


def _weights_by_variable(desired: Desired) -> Iterator[tuple[str, LockedWeights]]:
    yield WEIGHTS, desired.weights
    for one in desired.choice.beside:
        yield weights_variable(one.service), one.choice.weights


def _weights_place(weights: LockedWeights) -> str:
    """Return what stands for a folder that is the reader's to fill in."""
    return f"/path/to/{weights.repository.rpartition('/')[2]}"


def _unlocked(world: World, desired: Desired) -> Plan:
    said = _said(world, desired)
    first = _first(world, desired, AS_NEEDED, asked=False)
    return replace(said, match=desired.choice.match, commands=(*first, *said.commands))


def _said(world: World, desired: Desired) -> Plan:
    """Return the commands of an entry on a card, its serve lines, and what is open."""
    contract = world.contracts[desired.stack.contract]
    return Plan(
        stack=desired.stack.name,
        steps=(),
        commands=commands(world, desired),
        serve=serve_lines(desired.spec, contract, desired.stack.engine),
        unresolved=tuple(_open(desired)),
        override=desired.override,
    )


def _open(desired: Desired) -> Iterator[str]:
    engine = desired.stack.engine
    for weights in _from_hub(desired):
        if is_unresolved(weights):
            place = _weights_place(weights)
            yield f"the commit of {weights.repository}, and its folder: {place} stands for it"
    found = desired.serving.found
    if "@" not in engine.image and not (found and found.obtain.own):
        yield f"the digest of {engine.image}"
    if engine.nodes and desired.terms.leased is None:
        yield "which boards are taken: /dev/tenstorrent/0 and what follows stand for their nodes"


def _first(world: World, desired: Desired, how: How, *, asked: bool) -> Iterator[Command]:
    """Return what makes images, files, weights and folders, where they are not here.

    Args:
        how: Of the images.
        asked: Whether this machine was looked at; else everything is said.
    """
    folder = world.store.folder(desired.stack.name)
    words = words_of(desired.request, name=desired.stack.name, device=desired.spec.device)
    if not asked or not _is_rendered(world, desired):
        opened = () if asked else ("--unlocked",)
        given = ("--output", str(folder), *engine_words(desired.request))
        yield ("ttctl", "render", *words, *opened, *given)
    for image in desired.images:
        if image.prebuilt and not (asked and world.engine.has_image(image.reference)):
            yield ("docker", "pull", image.reference)
    own = [image.reference for image in desired.images if not image.prebuilt]
    if how.build:
        yield ("ttctl", "build", *words, "--again", *engine_words(desired.request))
    elif own and not (asked and all(world.engine.has_image(one) for one in own)):
        yield ("sh", f"{folder}/build.sh")
    yield from _weights(world, desired, asked=asked)
    yield from _caches(world, desired)


def _is_rendered(world: World, desired: Desired) -> bool:
    """Return whether the folder holds what containers mount; .env is of another place."""
    here = world.folders.read_folder(world.store.folder(desired.stack.name))
    beside = {".env", LOCK_NAME}
    return all(
        here.get(path) == text for path, (text, _) in desired.files.items() if path not in beside
    )


def _weights(world: World, desired: Desired, *, asked: bool) -> Iterator[Command]:
    for weights in _from_hub(desired):
        if asked and has_weights(world, weights):
            continue
        unresolved = is_unresolved(weights)
        place = _weights_place(weights) if unresolved else str(world.weights.path(weights))
        yield (*fetch_words(weights), "--local-dir", place)


def _from_hub(desired: Desired) -> tuple[LockedWeights, ...]:
    """Return the weights that somebody fetches from the hub: some images fetch theirs."""
    engines = ((desired.spec, desired.weights), *_beside(desired))
    return tuple(dict.fromkeys(weights for spec, weights in engines if is_on_the_hub(spec)))


def _beside(desired: Desired) -> Iterator[tuple[ModelSpec, LockedWeights]]:
    for one in desired.choice.beside:
        yield one.choice.spec, one.choice.weights


def _caches(world: World, desired: Desired) -> Iterator[Command]:
    for serving in desired.serving.each:
        if not serving.cache or world.engine_files.caches(serving.cache):
            continue
        cache = world.engine_files.cache(serving.cache)
        below = (str(cache / level) for level in levels(serving.cache_folders))
        # The engine writes as a user of its own; nobody else of this host gets past the first one.
        yield ("install", "-d", "-m", "0700", str(cache.parent))
        yield ("install", "-d", "-m", "0777", *below)
