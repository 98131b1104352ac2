# SPDX-License-Identifier: Apache-2.0
"""Worlds to plan for, and a small model of what each step of a plan does to one.

The model of compose is the worst that it may be: what is there with the right hash and is not
merely stopped stays as it is, and of several containers of a service it keeps the one that suits
least.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tests.unit.fakes import OWNER, Scene, container

from ttctl.model.lease import Leased
from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.model.override import Override
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.compose import config_hash
from ttctl.rules.reconcile import Observed, Wanted
from ttctl.rules.removals import NETWORKS
from ttctl.rules.to_end import AT_WORK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from ttctl.model.container import ContainerState
    from ttctl.model.image import ImageSpec
    from ttctl.model.plan import Plan, Step
    from ttctl.model.service import ServiceSpec

PLAIN = desire(Scene().world, Request(model="llama"))
# Their hash is asked for again and again: without much to hash.
ENGINE, GATEWAY = (
    replace(one, environment=(), command=(), mounts=(), inputs=()) for one in PLAIN.stack.services
)
ENGINES = ("vllm", "api", "sd", "media", "second")
OTHER_HASH = "0" * 64
STATES = ("created", "running", "paused", "restarting", "exited", "dead")
FOREIGN = "somebody-elses"
"""In every name, mark and image of what is not ours, so that no step may hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is wanted, and all that is here, others' things too."""

    wanted: Wanted
    observed: Observed
    foreign: tuple[ContainerState, ...]
    knows_key: frozenset[str]
    """Ids of the containers that were started with the key of now."""

    @property
    def seen(self) -> Observed:
        """What `reconcile` gets: everything."""
        return replace(self.observed, containers=(*self.foreign, *self.observed.containers))


T = TypeVar("T")


class Dice:
    """Chooses; a drawing of its own for each choice would take hypothesis a minute."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def of(self, several: Sequence[T]) -> T:
        """Return one of them."""
        return self._random.choice(several)

    def some(self, several: Sequence[T]) -> list[T]:
        """Return none, some or all of them, in their order."""
        return [one for one in several if self._random.random() < 0.5]

    def either(self) -> bool:
        """Return yes or no."""
        return self._random.random() < 0.5

    def number(self, first: int, last: int) -> int:
        """Return a number of a range, its ends too."""
        return self._random.randint(first, last)


def world_of(random: Random) -> World:
    """Return what is wanted and a world that may have anything to do with it."""
    dice = Dice(random)
    wanted = _wanted(dice)
    stack = wanted.stack
    ours = _named_apart(_ours(dice, wanted))
    names = [wanted.base.reference, *(one.reference for one in wanted.images)]
    names += [image for _, image in (wanted.override.images if wanted.override else ())]
    has_key = dice.either()
    nodes = any(one.nodes for one in stack.services)
    observed = Observed(
        images=frozenset(dice.some(names)),
        weights=frozenset(dice.some(wanted.weights)),
        has_key=has_key,
        folder_matches=dice.either(),
        owner=OWNER,
        containers=ours,
        cut_off=("vllm",) if ours and dice.number(0, 9) == 0 else (),
        leased=_leased(dice, wanted) if nodes else None,
    )
    knows = frozenset(one.container_id for one in ours) if has_key else frozenset()
    foreign = tuple(_foreign(dice, stack.name) for _ in range(dice.number(0, 3)))
    return World(wanted=wanted, observed=observed, foreign=foreign, knows_key=knows)


def how_of(random: Random) -> How:
    """Return what is done though it need not be."""
    dice = Dice(random)
    return How(
        build=dice.either(),
        pull=dice.of(("missing", "always")),
        recreate=dice.number(0, 3) == 0,
        wait=dice.either(),
    )


def _wanted(dice: Dice) -> Wanted:
    names = dice.some(ENGINES) or ENGINES[:1]
    on_card = dice.either()
    engines = [
        replace(ENGINE, name=name, nodes=dice.number(0, 2) if on_card else 0) for name in names
    ]
    stack = replace(
        PLAIN.stack, name=dice.of(("llama", "my-stack", "a")), services=(*engines, GATEWAY)
    )
    images = (("extra", dice.of(("extra/one:1", "extra/two:2"))),) if dice.either() else ()
    return Wanted(
        stack=stack,
        images=_images(dice),
        base=replace(PLAIN.base, origin=dice.of(("registry", "bootstrapped", "site"))),
        weights=tuple(_weights(one) for one in range(dice.number(1, 3))),
        override=Override(path="o", services=(), warnings=(), images=images) if images else None,
    )


def _images(dice: Dice) -> tuple[ImageSpec, ...]:
    """Return images of which each stands on the base or on one before it; some are pulled."""
    made: list[ImageSpec] = []
    for number in range(dice.number(1, 5)):
        parents = [PLAIN.base.reference, *(one.reference for one in made if not one.prebuilt)]
        one = replace(
            PLAIN.images[0],
            name=f"image-{number}",
            reference=f"ttctl/image-{number}:1",
            dockerfile="",
            files=(),
            parent=dice.of(parents),
        )
        pulled = dice.number(0, 3) == 0
        made.append(replace(one, prebuilt=True, parent="") if pulled else one)
    return tuple(made)


def _weights(number: int) -> LockedWeights:
    file = LockedFile(path="model.safetensors", size_bytes=number + 1, sha256="a" * 64)
    return LockedWeights(
        kind="hub", repository=f"acme/Model-{number}", revision="b" * 40, files=(file,)
    )


def _ours(dice: Dice, wanted: Wanted) -> list[ContainerState]:
    """Return containers with our marks: as wanted, broken, left over, of no service of the plan."""
    stack, found = wanted.stack, []
    plain = dice.number(0, 3) == 0
    for service in stack.services:
        names = [
            f"{stack.project}-{service.name}-1",
            f"0a1b2c3d4e5f_{stack.project}-{service.name}-1",
        ]
        for name in dice.some(names):
            made = _container(dice, wanted, service, name)
            by_run = plain and name == names[0] and dice.either()
            found.append(replace(made, composed=not by_run))
    for orphan in dice.some(["old", "older", ""]):
        for number in (1, 2)[: dice.number(1, 2)]:
            name = f"{stack.project}-{orphan}-{number}"
            state = dice.of(STATES)
            found.append(container(orphan, stack=stack.name, name=name, state=state))
    return found


def _container(dice: Dice, wanted: Wanted, service: ServiceSpec, name: str) -> ContainerState:
    as_wanted = config_hash(wanted.stack, service)
    return container(
        service.name,
        stack=wanted.stack.name,
        name=name,
        # Another image, other flags, other mounts: all of them are in the hash.
        config_hash=dice.of([as_wanted, as_wanted, OTHER_HASH]),
        state=dice.of(["running", *STATES]),
        health=dice.of(["", "starting", "healthy", "unhealthy"]),
        exit_code=dice.of([0, 1, 137]),
        boards=("0xA",) if service.nodes and dice.either() else (),
    )


def _foreign(dice: Dice, stack: str) -> ContainerState:
    """Return what is not ours: without any mark, of another owner, or of another stack of ours."""
    service = dice.of(["vllm", "gateway", "old", FOREIGN])
    marks = dice.of(
        [
            {"stack": "", "owner": "", "service": ""},
            {"stack": stack, "owner": FOREIGN, "service": service},
            {"stack": stack, "owner": "", "service": service},
            {"stack": f"{stack}-{FOREIGN}", "owner": OWNER, "service": service},
        ]
    )
    return container(
        marks["service"],
        stack=marks["stack"],
        owner=marks["owner"],
        name=f"ttctl-{stack}-{service}-1",
        image=f"{FOREIGN}:1",
        container_id=f"{FOREIGN}-{dice.number(0, 9)}",
        state=dice.of(STATES),
        boards=dice.of([(), ("0xA",)]),
        composed=dice.either(),
    )


def _leased(dice: Dice, wanted: Wanted) -> Leased:
    """Return boards for the engines, a board each."""
    dirty = dice.of([(), ("it was killed",)])
    own = dice.either()
    engines = [service.name for service in wanted.stack.services if service.nodes]
    parts = [(name, _board(f"0x{at}", own=own, dirty=dirty)) for at, name in enumerate(engines)]
    if len(parts) == 1:
        return parts[0][1]
    ids = tuple(board for _, one in parts for board in one.ids)
    return replace(parts[0][1], ids=ids, own=ids if own else (), parts=tuple(parts))


def _board(board: str, *, own: bool, dirty: tuple[str, ...]) -> Leased:
    node = "/dev/tenstorrent/0"
    return Leased(
        boards=(board,),
        ids=(board,),
        own=(board,) if own else (),
        nodes=(node,),
        values=(f"{node}:{node}",),
        dirty=dirty,
    )


def _named_apart(found: list[ContainerState]) -> tuple[ContainerState, ...]:
    ids = (replace(one, container_id=f"{n:064x}") for n, one in enumerate(found))
    return tuple(sorted(ids, key=lambda one: one.name))


class Doing:
    """Does what each step says, one after the other, and nothing that no step says."""

    def __init__(self, world: World, *, recreate: bool) -> None:
        self._world, self._recreate = world, recreate
        self.observed, self.knows_key = world.observed, world.knows_key
        self.verbs: list[str] = []

    def do(self, plan: Plan) -> World:
        """Return the world after all steps of a plan."""
        for step in plan.changes:
            getattr(self, f"_{step.verb}")(step)
            self.verbs.append(step.verb)
        return replace(self._world, observed=self.observed, knows_key=self.knows_key)

    def _change(self, **changes: Any) -> None:  # noqa: ANN401
        self.observed = replace(self.observed, **changes)

    def _pull(self, step: Step) -> None:
        self._change(images=self.observed.images | {step.subject})

    _bootstrap = _pull

    def _build(self, step: Step) -> None:
        image = next(one for one in self._world.wanted.images if one.name == step.subject)
        assert image.parent in self.observed.images, f"{step.subject} is built on nothing"
        self._change(images=self.observed.images | {image.reference})

    def _fetch(self, step: Step) -> None:
        named = {f"weights {one.repository}": one for one in self._world.wanted.weights}
        self._change(weights=self.observed.weights | {named[step.subject]})

    def _key(self, step: Step) -> None:
        assert not self.observed.has_key, step
        self.knows_key = frozenset()
        self._change(has_key=True)

    def _stop(self, step: Step) -> None:
        assert step.subject == f"stack {self._world.wanted.stack.name}"
        ended = (
            replace(one, state="exited") if one.state in AT_WORK else one
            for one in self.observed.containers
        )
        self._change(containers=tuple(ended))

    def _reset(self, _: Step) -> None:
        self._boards_are_nobodys()
        assert self.observed.leased
        parts = tuple((name, replace(one, dirty=())) for name, one in self.observed.leased.parts)
        self._change(leased=replace(self.observed.leased, dirty=(), parts=parts))

    def _lease(self, _: Step) -> None:
        self._boards_are_nobodys()
        assert self.observed.leased
        assert not self.observed.leased.dirty, "boards are taken that need a reset"

    def _boards_are_nobodys(self) -> None:
        assert not [
            one for one in self.observed.containers if one.boards and one.state in AT_WORK
        ], "an engine of ours is at work on them"

    def _write(self, _: Step) -> None:
        assert not {"remove", "start"} & {*self.verbs}
        self._change(folder_matches=True)

    def _remove(self, step: Step) -> None:
        if step.subject == NETWORKS:
            self._change(containers=(), cut_off=())
            return
        gone = [
            one for one in self.observed.containers if step.subject == (one.service or one.name)
        ]
        assert gone, f"there is no {step.subject}"
        kept = tuple(one for one in self.observed.containers if one not in gone)
        self._change(containers=kept)

    def _start(self, step: Step) -> None:
        observed, wanted = self.observed, self._world.wanted
        assert observed.folder_matches
        assert observed.has_key
        assert observed.weights >= {*wanted.weights}
        assert all(one.composed for one in observed.containers), "compose knows not all of it"
        service = next(one for one in wanted.stack.services if one.name == step.subject)
        if service.nodes:
            assert "lease" in self.verbs
        as_wanted = config_hash(wanted.stack, service)
        own = [one for one in observed.containers if one.service == step.subject]
        # Of several it keeps the one that suits least.
        kept = next((one for one in own if one.config_hash == as_wanted), None)
        if kept is None or self._recreate:
            kept = container(
                service.name,
                stack=wanted.stack.name,
                config_hash=as_wanted,
                container_id=f"new-{service.name}",
                boards=("0xA",) if service.nodes else (),
            )
            self.knows_key |= {kept.container_id}
        elif kept.state in {"created", "exited"}:
            self.knows_key |= {kept.container_id}
            kept = replace(kept, state="running", health="healthy")
        rest = tuple(one for one in observed.containers if one not in own)
        self._change(containers=(*rest, kept))
