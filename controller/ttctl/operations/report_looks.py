# SPDX-License-Identifier: Apache-2.0
"""What goes into a diagnostic archive: each part looked at by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.spec import Request
from ttctl.operations import devices, stacks
from ttctl.operations.diagnose import causes
from ttctl.operations.doctor import doctor
from ttctl.operations.in_time import in_time, said_of
from ttctl.operations.lease import shared
from ttctl.operations.plan import obstacle, plan
from ttctl.operations.preview import is_for_another
from ttctl.operations.preview import look as preview
from ttctl.operations.render_folder import LOCK_NAME
from ttctl.rules.report_parts import MOST_LINES, log_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import World
    from ttctl.model.report import ReportPlace

SITE = "site/"
"""Of a rendered folder: what holds this place's passwords."""
FOLDER_S = 10.0
"""For reading a rendered folder: it may lie on a file system that hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a report is of."""

    world: World
    offline: World
    """The same, of which no hub and no registry is asked."""
    place: ReportPlace
    stacks: tuple[str, ...]
    model: str
    """What `up` would be asked for where there is no stack; empty where there is one."""
    seen: tuple[ContainerState, ...]
    """Every container of ttctl; none where the engine could not be asked."""
    refusal: str
    """Why it could not be asked, empty where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One part, and how it is had: a text, a value for JSON, or None where there is none."""

    name: str
    why: str
    run: Callable[[], object]
    tail: bool = False


def looks(scene: Scene) -> Iterator[Look]:
    """Yield every part of a report."""
    yield from _of_machine(scene)
    for stack in scene.stacks:
        yield from _of_stack(scene, stack)
    if scene.model:
        request = Request(model=scene.model, unattended=True)
        run = partial(_plan, scene.offline, request)
        yield Look(name="plan.json", why=f"What `ttctl up {scene.model}` would do now.", run=run)


def _of_machine(scene: Scene) -> Iterator[Look]:
    world, one = scene.world, scene.stacks[0] if len(scene.stacks) == 1 else None
    yield Look(
        name="versions.json",
        why="What runs here, and in which version.",
        run=partial(_versions, scene),
    )
    yield Look(name="settings.json", why="What somebody set, and where.", run=scene.place.settings)
    yield Look(
        name="doctor.json",
        why="What `ttctl doctor` finds.",
        run=lambda: doctor(world, one)[1],
    )
    yield Look(
        name="devices.json",
        why="The boards, who has them, and in which state they were left.",
        run=partial(_devices, world),
    )
    yield Look(
        name="tt-smi.json", why="What tt-smi says of the cards.", run=partial(_tt_smi, world)
    )
    yield Look(name="starts.json", why="How long earlier starts took.", run=world.starts.earlier)
    yield Look(
        name="ps.json",
        why="The containers, as the engine shows them.",
        run=partial(_asked, scene, lambda: scene.seen),
    )


def _of_stack(scene: Scene, stack: str) -> Iterator[Look]:
    world, folder = scene.world, f"stacks/{stack}"
    own = tuple(one for one in scene.seen if one.stack == stack and _is_own(world, one))
    yield Look(
        name=f"{folder}/status.json",
        why=f"How {stack} is.",
        run=partial(_asked, scene, lambda: stacks.status(world, stack)),
    )
    yield Look(
        name=f"{folder}/causes.json",
        why="Why services of it do not do their work, as far as it is known.",
        run=partial(_asked, scene, lambda: causes(world, stack, own)),
    )
    yield Look(
        name=f"{folder}/plan.json",
        why="What `ttctl up` would do now; nobody was asked for it.",
        run=lambda: _plan(scene.offline, _request(world, stack)),
    )
    yield from _of_folder(world, stack, folder)
    for one in own:
        yield Look(
            name=f"{folder}/logs/{one.service or one.name}.log",
            why=f"The last lines of {one.name}.",
            run=partial(_log, world, one),
            tail=True,
        )


def _of_folder(world: World, stack: str, folder: str) -> Iterator[Look]:
    """Yield the rendered files, the lock as it lies there, and what the user laid over them."""
    rendered = world.store.folder(stack)
    (read,) = in_time([lambda: world.folders.read_folder(rendered)], limit_s=FOLDER_S)
    if read.value is None:
        yield Look(
            name=f"{folder}/rendered", why="The rendered files.", run=partial(_refuse, read.failure)
        )
    for path, text in sorted((read.value or {}).items()):
        is_lock = path == LOCK_NAME
        if not path.startswith(SITE):
            yield Look(
                name=f"{folder}/{path if is_lock else f'rendered/{path}'}",
                why="What it was locked to." if is_lock else "A rendered file.",
                run=partial(str, text),
            )
    yield Look(
        name=f"{folder}/override.json",
        why="What the user laid over the rendered files.",
        run=lambda: world.folders.override(rendered),
    )


def _refuse(why: str) -> object:
    raise TtctlError(why)


def _asked(scene: Scene, run: Callable[[], object]) -> object:
    """Do what needs the engine; where it did not answer once it is not asked again."""
    return _refuse(scene.refusal) if scene.refusal else run()


def _is_own(world: World, one: ContainerState) -> bool:
    return one.owner == world.store.owner()


def _log(world: World, one: ContainerState) -> str:
    return log_text(world.engine.log_lines(one.container_id, tail=MOST_LINES))


def _versions(scene: Scene) -> dict[str, object]:
    engine, system = scene.world.vitals.engine(), scene.world.host.system()
    return {
        **scene.place.versions(),
        "docker": engine.client or "not installed",
        "engine": engine.version or f"none answers: {engine.error}".rstrip(": "),
        "compose": engine.compose or "not installed",
        "buildx": engine.buildx or "not installed",
        "driver": system.driver or "not loaded",
        "firmware": sorted({one.firmware for one in system.chips if one.firmware}) or "no card",
        "device": system.device,
        "device_reason": system.reason,
    }


def _devices(world: World) -> dict[str, object]:
    looked = devices.look(world, devices.Wish())
    said: dict[str, object] = {"system": looked.system, "readings": looked.readings}
    if looked.system.boards:
        found = shared(world, looked.system)
        said |= {"leases": found.leases, "claims": found.claims}
    return {**said, "notes": looked.notes}


def _tt_smi(world: World) -> object:
    looked = devices.look(world, devices.Wish(ask=True))
    if looked.telemetry is None and looked.system.boards:
        raise TtctlError("There is no snapshot.", why=" ".join(looked.notes))
    return looked.telemetry


def _request(world: World, stack: str) -> Request:
    lock = world.store.lock(stack)
    if lock is None:
        return Request(model=stack, unattended=True)
    return Request(model=lock.requested, name=stack, device=lock.device, unattended=True)


def _plan(world: World, request: Request) -> dict[str, object]:
    """Return what `up` would do, and what would be in its way."""
    found = preview(world, request)
    if found is not None and is_for_another(world, found):
        return {"plan": found, "refusal": ""}
    desired, steps = plan(world, request)
    refusal = obstacle(world, desired, steps)
    return {"plan": steps, "refusal": said_of(refusal) if refusal else ""}
