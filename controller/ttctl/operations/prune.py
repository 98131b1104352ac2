# SPDX-License-Identifier: Apache-2.0
"""Remove what no stack has a use for any more, and nothing that is not ttctl's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, TtctlError
from ttctl.model.litter import KINDS, Left, Litter, Pruned
from ttctl.rules.generations import COMPOSE, DOTENV
from ttctl.rules.prune import caches_in, named_by, unmounted, unnamed
from ttctl.rules.written import images_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.container import ContainerState
    from ttctl.model.litter import Leftovers, LitterKind
    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World

HUSK = "created"
"""State of a container that was made and never started."""


def look(world: World, place: Leftovers, kinds: Sequence[LitterKind] = KINDS) -> Pruned:
    """Return what may go; nothing is changed.

    Where the lock of a stack cannot be read, nobody knows what it names: then no image and no cache
    is among it.

    Raises:
        EngineError: The container engine does not answer, and images or containers are asked for.
    """
    minds: list[str] = []
    states = _states(world, minds) if {"image", "cache"} & set(kinds) else []
    found: list[Litter] = []
    known = {"image", "cache"} & set(kinds) and not minds
    used = place.in_use() if known else None
    if used and "image" in kinds:
        named = frozenset().union(*(one.images for one in states))
        images = place.images()
        found += unnamed(images, named=named, used=used.images, now=world.clock.epoch())
    if used and "cache" in kinds:
        mounted = used.folders.union(*(one.caches for one in states))
        found += unmounted(world.engine_files.caches(), mounted=mounted)
    if "file" in kinds:
        found += [
            Litter(
                kind="file",
                name=one.path,
                why="a killed command left it",
                size_bytes=one.size_bytes,
            )
            for one in place.files()
        ]
    if "container" in kinds:
        found += map(_husk, _husks(world))
    return Pruned(found=tuple(found), minds=tuple(minds))


def prune(world: World, place: Leftovers, kinds: Sequence[LitterKind] = KINDS) -> Pruned:
    """Look again, and remove what is found then.

    Raises:
        EngineError: As `look`.
    """
    seen = look(world, place, kinds)
    removed: list[Litter] = []
    left: list[Left] = []
    if any(one.kind == "file" for one in seen.found):
        world.vitals.mend("sweep")
    for one in seen.found:
        try:
            _remove(world, place, one)
        except TtctlError as refusal:
            why = "; ".join(filter(None, (refusal.message, refusal.why)))
            left.append(Left(name=one.name, why=why))
        else:
            removed.append(one)
    return Pruned(found=seen.found, removed=tuple(removed), left=tuple(left), minds=seen.minds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What one state of a stack has a use for."""

    images: frozenset[str]
    caches: frozenset[str]


def _states(world: World, minds: list[str]) -> list[_Named]:
    """Return what every state that is kept names; what cannot be read goes to `minds`."""
    found: list[_Named] = []
    # A lock that was damaged and moved away leaves generations without one.
    for stack in sorted({*world.store.stacks(), *world.generations.stacks()}):
        try:
            found += _states_of(world, stack)
        except BadFileError as damaged:
            minds.append(
                f"images and caches were left alone: nobody knows which {stack!r} names. "
                f"{damaged.message}"
            )
    return found


def _states_of(world: World, stack: str) -> Iterator[_Named]:
    yield _named(world.store.lock(stack), world.folders.read_folder(world.store.folder(stack)))
    for one in world.generations.kept(stack):
        yield _named(one.lock, world.generations.files(stack, one.number))


def _named(lock: Lock | None, files: dict[str, str]) -> _Named:
    compose = files.get(COMPOSE, "")
    images = named_by(lock, compose) if lock else frozenset(images_of(compose))
    return _Named(images=images, caches=caches_in(files.get(DOTENV, "")))


def _husks(world: World) -> tuple[ContainerState, ...]:
    owner = world.store.owner()
    seen = world.engine.containers(None)
    return tuple(one for one in seen if one.owner == owner and one.state == HUSK)


def _husk(one: ContainerState) -> Litter:
    return Litter(
        kind="container",
        name=one.name,
        why="it was made and never started",
        stack=one.stack,
        target=one.container_id,
    )


def _remove(world: World, place: Leftovers, one: Litter) -> None:
    if one.kind == "image":
        place.remove_image(one.name)
    elif one.kind == "cache":
        place.remove_cache(Path(one.target))
    elif one.kind == "container":
        # Looked at again under the stack's lock: a start may be on its way.
        with world.store.exclusive(one.stack, timeout_s=0, reporter=world.reporter):
            if one.target in {each.container_id for each in _husks(world)}:
                world.vitals.mend("remove-containers", (one.target,))
