# SPDX-License-Identifier: Apache-2.0
"""Does anybody get a board while two stacks are exchanged on it? Two processes, one real lock.

The engine is a stand-in: a file that lists the containers. One process exchanges the stack on the
only board for another; the other one starts a third stack at the same moment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = int(os.environ.get("TTCTL_RACE_ROUNDS", "20"))
COMMON = """
import json, sys, time
from dataclasses import replace
from pathlib import Path
from tests.unit.fakes import Scene
from tests.unit.rules.leasing import stack
from ttctl.adapters import kernel_lock
from ttctl.adapters.host import LocalHost
from ttctl.adapters.host_lock import guarded
from ttctl.errors import LockedError
from ttctl.operations.lease import take
from ttctl.operations.swap_hold import Hold

root, containers = Path(sys.argv[1]), Path(sys.argv[2])
kernel_lock.POLL_S = 0.001
GAP_S = 0.02  # as an engine takes to stop, or to make a container
scene = Scene()

def put(text):
    # At once: who looks without the guard reads no half of it.
    half = containers.with_name(f"{sys.argv[4]}.json")
    half.write_text(text)
    half.replace(containers)

class Leases(type(scene.leases)):
    def guard(self, *, timeout_s, reporter):
        return guarded(root, timeout_s=30, reporter=reporter, folders=[root.parent / "lock"])

    def claims(self):
        there = json.loads(containers.read_text())
        made = [stack(n, *boards, phase="created") for n, boards in there]
        return replace(super().claims(), containers=tuple(made))

scene.leases = Leases(scene.host)
scene.host.found = LocalHost(root, affinity=8).system()

def start(world, name):
    with world.leases.guard(timeout_s=30, reporter=scene.reporter):
        boards = take(world, "p150", name).boards
        time.sleep(GAP_S)
        there = json.loads(containers.read_text())
        put(json.dumps([*there, [name, boards]]))
    return name
"""
EXCHANGE = """
def act():
    with Hold(scene.world, ("one", "two"), timeout_s=10) as hold:
        if sys.argv[3] == "safe":
            hold.guard()
        put("[]")
        time.sleep(GAP_S)
        return start(hold.world, "two")
"""
THIRD = """
def act():
    time.sleep(GAP_S / 2)
    return start(scene.world, "third")
"""
ENDLESS = """
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(act(), flush=True)
    except LockedError as error:
        print(error.message, flush=True)
"""


class Race:
    """An exchange and a third start, whenever they are told to."""

    def __init__(self, root: Path, *, safe: bool) -> None:
        self._containers, lock = root.parent / "containers.json", root.parent / "lock"
        lock.mkdir()
        lock.chmod(0o1777)
        self._ends = ExitStack()
        words = [str(root), str(self._containers), "safe" if safe else "unsafe"]
        self._both = [
            self._ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", f"{COMMON}{own}{ENDLESS}", *words, name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parents[3],
                )
            )
            for name, own in (("exchange", EXCHANGE), ("third", THIRD))
        ]
        assert [one.stdout.readline() for one in self._both if one.stdout] == ["ready\n"] * 2

    def run(self, board: str) -> list[str]:
        """Return what both said, when they began at once beside a stack that has the board."""
        self._containers.write_text(json.dumps([["one", [board]]]))
        for one in self._both:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        return [one.stdout.readline().strip() for one in self._both if one.stdout]

    def end(self) -> None:
        for one in self._both:
            one.kill()
        self._ends.close()


@pytest.fixture
def race(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Race]:
    machines.tree(tmp_path / "root", "p150")
    found = Race(tmp_path / "root", safe=request.param)
    yield found
    found.end()


BOARD = "0000:01:00.0"


@pytest.mark.parametrize("race", [True], indirect=True)
def test_a_third_start_never_gets_the_board_of_an_exchange(race: Race) -> None:
    for _ in range(ROUNDS):
        assert race.run(BOARD) == ["two", "No boards for a p150 are free."]


@pytest.mark.parametrize("race", [False], indirect=True)
def test_without_the_guard_it_would(race: Race) -> None:
    said = [race.run(BOARD)[1] for _ in range(ROUNDS)]
    assert "third" in said
