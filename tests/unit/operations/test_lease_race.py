# SPDX-License-Identifier: Apache-2.0
"""Do two starts at once ever get the same board? Two processes, 200 rounds, one real lock.

The engine is a stand-in: a file that lists the containers, which says nothing of its own accord
to whoever does not look under the lock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.rules.leasing import machine

from ttctl.rules.domains import domains_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TAKER = """
import json, sys, time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tests.unit.fakes import Scene
from tests.unit.rules.leasing import stack
from ttctl.adapters import kernel_lock
from ttctl.adapters.host import LocalHost
from ttctl.adapters.host_lock import guarded
from ttctl.errors import LockedError
from ttctl.operations.lease import take

root, containers, name, safe = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
kernel_lock.POLL_S = 0.001
GAP_S = 0.01  # between the look and the container, as an engine takes to make one
scene = Scene()

def start(device):
    lock = guarded(root, timeout_s=30, reporter=scene.reporter, folders=[root.parent / "lock"])
    with lock if safe == "safe" else nullcontext():
        there = json.loads(containers.read_text())
        had = [board for n, boards in there if n == name for board in boards]
        if had:
            # As an engine that is replaced: it stops, and leases nothing until the next one is.
            there = [one for one in there if one[0] != name]
            containers.write_text(json.dumps(there))
            time.sleep(GAP_S)
            there = json.loads(containers.read_text())
        made = [stack(n, *boards, phase="created") for n, boards in there]
        scene.leases.containers = tuple(made)
        scene.host.found = LocalHost(root, affinity=8).system()
        try:
            boards = take(scene.world, device, name, had=had).boards
        except LockedError as error:
            return [], error.exit_code
        time.sleep(GAP_S)
        containers.write_text(json.dumps([*json.loads(containers.read_text()), [name, boards]]))
        return boards, 0

print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(start(line.strip())), flush=True)
"""


class Race:
    """Two commands that start a stack whenever they are told to."""

    def __init__(self, root: Path, *, safe: bool) -> None:
        self._containers = root.parent / "containers.json"
        lock = root.parent / "lock"
        lock.mkdir()
        lock.chmod(0o1777)
        self._ends = ExitStack()
        words = [str(root), str(self._containers)]
        self._takers = [
            self._ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", TAKER, *words, name, "safe" if safe else "unsafe"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parents[3],
                )
            )
            for name in ("one", "two")
        ]
        for taker in self._takers:
            assert taker.stdout
            assert taker.stdout.readline() == "ready\n"

    def run(self, device: str, there: Sequence[object] = ()) -> list[tuple[list[str], int]]:
        """Return what both got, when both started at once beside what is there already."""
        self._containers.write_text(json.dumps([*there]))
        for taker in self._takers:
            assert taker.stdin
            taker.stdin.write(f"{device}\n")
            taker.stdin.flush()
        return [tuple(json.loads(t.stdout.readline())) for t in self._takers if t.stdout]

    def end(self) -> None:
        for taker in self._takers:
            taker.kill()
        self._ends.close()


@pytest.fixture
def race(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Race]:
    device, safe = request.param
    machines.tree(tmp_path / "root", device)
    found = Race(tmp_path / "root", safe=safe)
    yield found
    found.end()


@pytest.mark.parametrize(
    ("race", "part", "whole"),
    [(("t3k", True), "n300", "t3k"), (("p150x4", True), "p150", "p150x4")],
    indirect=["race"],
)
def test_two_starts_at_once_never_share_a_board(race: Race, part: str, whole: str) -> None:
    for _ in range(50):
        (one, _), (two, _) = race.run(part)
        assert len(one) == len(two) == 1
        assert one != two
        got = race.run(whole)
        assert sorted((len(boards), code) for boards, code in got) == [(0, 75), (4, 0)]


@pytest.mark.parametrize("race", [("p150x4", True)], indirect=True)
def test_an_engine_that_is_replaced_never_loses_its_boards_to_another_start(race: Race) -> None:
    first = race.run("p150")[0][0]
    for _ in range(50):
        (one, _), (two, _) = race.run("p150", [["one", first]])
        assert one == first
        assert len(two) == 1
        assert one != two


@pytest.mark.parametrize("race", [("p150x4", False)], indirect=True)
def test_without_the_lock_they_would(race: Race) -> None:
    rounds = (race.run("p150") for _ in range(20))
    assert any(set(one) & set(two) for (one, _), (two, _) in rounds)


def test_the_machines_of_the_race_have_four_domains_each(tmp_path: Path) -> None:
    for device in ("t3k", "p150x4"):
        assert len(domains_of(machine(tmp_path / device, device))) == 4
