# SPDX-License-Identifier: Apache-2.0
"""Machines on which one stack is up, for the tests of swaps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.unit.cards import FIRST, LLAMA, WatchedLeases, card_scene
from tests.unit.fakes import FakeResets, FakeWeights, Scene, container
from tests.unit.rules.leasing import stack
from tests.unit.rules.validated import board, machine

from ttctl.model.device import Formed
from ttctl.model.lease import ProcessUse, Spoiled
from ttctl.model.plan import AS_NEEDED, How
from ttctl.model.spec import Request
from ttctl.operations import swap
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.container import ContainerState
    from ttctl.model.lease import Claims
    from ttctl.model.lock import LockedWeights
    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site
    from ttctl.operations.swap import Swapped

DIRT = Spoiled(board=FIRST, reason="its log ends with a fatal line")
SMALL = Request(model="llama")
SECOND = replace(SMALL, name="second")
THIRD = replace(LLAMA, name="third")
"""A second stack of the entry on cards."""
FOURTH = Request(model="llama", name="fourth", device="cpu")


def swapped(
    scene: Scene, word: str, request: Request, *, how: How = AS_NEEDED, wait_s: int | None = None
) -> Swapped:
    found = swap.prepare(scene.world, word, request, how=how)
    return swap.exchange(scene.world, found, wait_s=wait_s)


def running(scene: Scene) -> list[str]:
    """Return the stacks of which everything runs."""
    states = scene.engine.states.values()
    down = {one.stack for one in states if one.state != "running"}
    return sorted({one.stack for one in states} - down)


class Live(WatchedLeases):
    """Sees the containers that the launcher makes."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._engine = scene.engine
        self.killed = ""
        self.processes: tuple[ProcessUse, ...] = ()
        self.blind: tuple[str, ...] = ()

    def claims(self) -> Claims:
        made = tuple(
            stack(
                one.stack,
                *one.boards,
                paths=tuple(f"/dev/tenstorrent/{int(board[5:7])}" for board in one.boards),
                phase=one.state,
                container_id=one.container_id,
                exit_code=137 if one.stack == self.killed and one.state == "exited" else 0,
                finished_at=self.now if one.state == "exited" else "",
            )
            for one in self._engine.states.values()
            if one.boards
        )
        found = super().claims()
        seen = (*found.containers, *made)
        return replace(found, containers=seen, processes=self.processes, blind=self.blind)


class Fetches(FakeWeights):
    """Has nothing yet; while it fetches, something happens."""

    def __init__(self, scene: Scene, happens: Callable[[], object]) -> None:
        super().__init__(scene.calls)
        self._happens = happens

    def fetch(self, locked: LockedWeights, site: Site, reporter: Reporter) -> None:
        self._happens()
        super().fetch(locked, site, reporter)


def small_scene() -> Scene:
    """The stack `llama` on the processor."""
    scene = Scene()
    up(scene.world, SMALL)
    scene.taken()
    return scene


def cards_scene() -> Scene:
    """A stack that has every board of a machine with one."""
    scene = card_scene()
    scene.leases = Live(scene)
    up(scene.world, replace(LLAMA, boards=("0",)))
    for at in (1, 2, 3):
        scene.engine.states[f"other-{at}"] = other(at)
    scene.taken()
    return scene


def lone_scene() -> Scene:
    """A stack that has the only board of a machine."""
    scene = card_scene()
    one = Formed(device="n300", boards=("0",), reason="1 x n300")
    scene.host.found = machine("n300", one, boards=(board("0", "n300"),))
    scene.leases = Live(scene)
    scene.resets = FakeResets(scene.calls, scene.leases)
    up(scene.world, LLAMA)
    scene.taken()
    return scene


def other(at: int) -> ContainerState:
    return container("vllm", stack=f"other-{at}", boards=(f"0000:0{at}:00.0",))


def live(scene: Scene) -> Live:
    assert isinstance(scene.leases, Live)
    return scene.leases
