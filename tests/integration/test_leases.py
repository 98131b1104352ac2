# SPDX-License-Identifier: Apache-2.0
"""On the real engine: two starts at once never share a board, and every holder is seen.

The nodes are made up: device files of the kernel's memory device, each with a number of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.standins.nodes import as_root, device_file
from tests.standins.product_images import product_images
from tests.unit.fakes import OWNER, FakeReporter, Scene

from ttctl.adapters.claims import claims
from ttctl.adapters.compose import ComposeLauncher
from ttctl.adapters.docker_engine import DockerEngine
from ttctl.adapters.host import LocalHost
from ttctl.adapters.leases import HostLeases
from ttctl.adapters.resetter import SmiResets
from ttctl.errors import ToolMissingError
from ttctl.model.container import BOARDS_LABEL, OWNER_LABEL, STACK_LABEL
from ttctl.model.reset import ResetOrder
from ttctl.operations.stacks import down
from ttctl.rules.domains import domains_of
from ttctl.rules.leases import leased

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.lease import ContainerUse, Lease

pytestmark = [pytest.mark.docker, as_root]
MINORS = (5, 7, 8, 9)
"""Of the memory device, major 1: zero, full, random and urandom."""
ROUNDS = 20
TAKER = """
import os, subprocess, sys
from pathlib import Path
from tests.unit.fakes import OWNER, Scene
from ttctl.adapters.host import LocalHost
from ttctl.adapters.leases import HostLeases
from ttctl.errors import LockedError
from ttctl.operations.lease import take

root, image, mark, stack = Path(sys.argv[1]), *sys.argv[2:5]
scene = Scene()
scene.host = LocalHost(root, affinity=8)
scene.leases = HostLeases(
    dict(os.environ), root=root, state=root.parent / "state", reporter=lambda: scene.reporter
)
print("ready", flush=True)
for line in sys.stdin:
    with scene.leases.guard(timeout_s=60, reporter=scene.reporter):
        found = take(scene.world, line.strip(), stack)
        labels = {
            "dev.ttctl.boards": ",".join(found.boards),
            "dev.ttctl.stack": stack,
            "dev.ttctl.owner": OWNER,
            "dev.ttctl.test": mark,
        }
        words = [f"--label={name}={value}" for name, value in labels.items()]
        words += [f"--device={value}" for value in found.values]
        name = f"ttctl-race-{mark}-{stack}"
        subprocess.run(
            ["docker", "create", "--name", name, *words, image, "sleep", "60"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    print(",".join(found.boards), flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with four boards whose nodes are device files."""
    found = machines.tree(tmp_path / "root", "p150x4")
    lock = found / "run/lock"
    lock.mkdir(parents=True)
    lock.chmod(0o1777)
    for number, minor in enumerate(MINORS):
        device_file(found / "dev/tenstorrent" / str(number), 1, minor)
    return found


@pytest.fixture
def mark() -> Iterator[str]:
    """Yield a mark for containers, which are removed in the end."""
    found = uuid.uuid4().hex[:8]
    yield found
    sweep(found)


@pytest.fixture(scope="module")
def image() -> str:
    return product_images()["base"]


def docker(*words: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip()


def sweep(mark: str) -> None:
    found = docker("ps", "--all", "--quiet", "--filter", f"label=dev.ttctl.test={mark}").split()
    if found:
        docker("rm", "--force", *found)


def of(mark: str, root: Path) -> list[ContainerUse]:
    """Return this test's containers as they are claimed."""
    found = claims(dict(os.environ), root).containers
    return sorted((one for one in found if mark in one.name), key=lambda one: one.name)


def leases(root: Path) -> tuple[Lease, ...]:
    host = HostLeases(
        dict(os.environ), root=root, state=root.parent / "state", reporter=FakeReporter
    )
    system = LocalHost(root, affinity=8).system()
    return leased(system, host.claims(), host.remembered())


def test_two_starts_at_once_never_share_a_board(root: Path, mark: str, image: str) -> None:
    with ExitStack() as ends:
        takers = [
            ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", TAKER, str(root), image, mark, stack],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parents[2],
                )
            )
            for stack in ("one", "two")
        ]
        for taker in takers:
            ends.callback(taker.kill)
            assert taker.stdout
            assert taker.stdout.readline() == "ready\n"
        for _ in range(ROUNDS):
            for taker in takers:
                assert taker.stdin
                taker.stdin.write("p150\n")
                taker.stdin.flush()
            one, two = [taker.stdout.readline().strip() for taker in takers if taker.stdout]
            assert one
            assert two
            assert one != two
            assert {box.paths for box in of(mark, root)} == {
                ("/dev/tenstorrent/0",),
                ("/dev/tenstorrent/1",),
            }
            sweep(mark)


@pytest.mark.parametrize(
    ("words", "held"),
    [
        pytest.param(["--device={root}/dev/tenstorrent/2:/dev/tenstorrent/2"], [2], id="node"),
        pytest.param(["--volume={root}/dev/tenstorrent:/x:ro"], [0, 1, 2, 3], id="folder"),
        pytest.param(["--volume={root}/dev:/x:ro"], [0, 1, 2, 3], id="all devices"),
        pytest.param(["--device-cgroup-rule=c 1:7 rwm"], [1], id="rule"),
        pytest.param(["--device=/dev/random:/dev/x"], [2], id="the same device elsewhere"),
        pytest.param(["--privileged"], [0, 1, 2, 3], id="privileged"),
        pytest.param(["--device=/dev/null:/dev/x"], [], id="another device"),
    ],
)
def test_a_container_of_somebody_else_holds_what_it_may_open(
    root: Path, mark: str, image: str, words: list[str], held: list[int]
) -> None:
    name = f"box-{mark}"
    flags = [word.format(root=root) for word in words]
    docker("create", "--name", name, f"--label=dev.ttctl.test={mark}", *flags, image, "true")
    found = [
        at
        for at, lease in enumerate(leases(root))
        if name in [holder.name for holder in lease.holders]
    ]
    assert found == held
    assert of(mark, root)[0].phase == "created"


def test_a_killed_container_frees_its_board_and_leaves_it_dirty(
    root: Path, mark: str, image: str
) -> None:
    key = domains_of(LocalHost(root, affinity=8).system())[1].key
    labels = {BOARDS_LABEL: key, STACK_LABEL: "llama", OWNER_LABEL: "me", "dev.ttctl.test": mark}
    words = [f"--label={name}={value}" for name, value in labels.items()]
    node = "/dev/tenstorrent/1"
    docker(
        *("run", "--detach", "--name", f"box-{mark}", *words, f"--device={root}{node}:{node}"),
        *(image, "sleep", "60"),
    )
    opened = docker("exec", f"box-{mark}", "sh", "-c", "ls /dev/tenstorrent; head -c 2 " + node)
    assert opened.startswith("1")
    assert leases(root)[1].state == "held"
    docker("kill", f"box-{mark}")
    found = leases(root)[1]
    assert found.dirty == f"container box-{mark} was killed (exit code 137)"
    assert f"box-{mark}" not in [holder.name for holder in found.holders]
    [box] = of(mark, root)
    listed = json.loads(docker("inspect", f"box-{mark}"))[0]["State"]["FinishedAt"]
    assert box.finished_at == listed


COMPOSE = """
services:
  vllm:
    image: {image}
    command: ["sh", "-c", "trap : TERM; while :; do sleep 1; done"]
    devices: ["{root}/dev/tenstorrent/1:/dev/tenstorrent/1"]
    labels:
      dev.ttctl.boards: "{key}"
      dev.ttctl.stack: "{stack}"
      dev.ttctl.service: vllm
      dev.ttctl.owner: "{owner}"
      dev.ttctl.test: "{mark}"
"""


def test_down_keeps_that_an_engine_had_to_be_killed(root: Path, mark: str, image: str) -> None:
    stack = f"race-{mark}"
    scene = Scene()
    environ = dict(os.environ)
    key = domains_of(LocalHost(root, affinity=8).system())[1].key
    file = root.parent / "compose.yaml"
    text = COMPOSE.format(root=root, image=image, key=key, stack=stack, owner=OWNER, mark=mark)
    file.write_text(text, encoding="utf-8")
    docker("compose", "--project-name", f"ttctl-{stack}", "--file", str(file), "up", "--detach")
    state = root.parent / "state"
    kept = HostLeases(environ, root=root, state=state, reporter=FakeReporter)
    world = replace(
        scene.world,
        engine=DockerEngine(environ),
        launcher=ComposeLauncher(DockerEngine(environ), environ),
        leases=kept,
        host=LocalHost(root, affinity=8),
    )
    assert leases(root)[1].state == "held"
    down(world, stack, volumes=False, dry_run=False, timeout_s=1)
    assert of(mark, root) == []
    assert leases(root)[1].state == "free"
    name = f"ttctl-{stack}-vllm-1"
    assert leases(root)[1].dirty == f"container {name} was killed (exit code 137)"


STAND_IN = r"""#!/bin/sh
[ "$1" = -v ] && { echo 6.2.1; exit; }
echo "told: $*"
echo "sees: $(cd /dev/tenstorrent && echo *)"
for node in /dev/tenstorrent/*; do head -c 1 "$node" >/dev/null || exit 1; done
"""


@pytest.fixture
def smi_image(tmp_path: Path, mark: str, image: str) -> Iterator[str]:
    """An image with a tt-smi that says what it was told and which nodes it can open."""
    folder = tmp_path / "smi"
    folder.mkdir()
    (folder / "tt-smi").write_text(STAND_IN)
    (folder / "tt-smi").chmod(0o755)
    (folder / "Dockerfile").write_text(f"FROM {image}\nCOPY tt-smi /usr/local/bin/tt-smi\n")
    name = f"ttctl-smi-{mark}:1"
    docker("build", "--quiet", "--tag", name, str(folder))
    yield name
    docker("rmi", "--force", name)


def test_an_images_tool_sees_the_boards_that_are_reset_and_no_other(
    root: Path, smi_image: str
) -> None:
    nodes = ("/dev/tenstorrent/1", "/dev/tenstorrent/3")
    order = ResetOrder(nodes=nodes, galaxy=False, image=smi_image, root=str(root))
    reporter = FakeReporter()
    SmiResets(dict(os.environ), root=root).reset(order, reporter)
    assert reporter.lines == [f"told: -r {' '.join(nodes)}", "sees: 1 3"]
    assert docker("ps", "--all", "--quiet", "--filter", f"name=ttctl-reset-{os.getpid()}") == ""


def test_an_image_without_the_tool_is_refused(root: Path, image: str) -> None:
    order = ResetOrder(nodes=("/dev/tenstorrent/1",), galaxy=False, image=image, root=str(root))
    with pytest.raises(ToolMissingError, match="could not be run in the image"):
        SmiResets(dict(os.environ), root=root).reset(order, FakeReporter())
