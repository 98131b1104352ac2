# SPDX-License-Identifier: Apache-2.0
"""engine.sh really starts and ends an engine, in namespaces that hide the one in use.

A cell is a private mount, network and process namespace: its /run, data folder, bridge and packet
filter are its own, and when the test ends, or dies, the kernel ends all that runs in it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

ENGINE = Path(__file__).parents[2] / "controller" / "engine" / "engine.sh"
LIMIT = 90
UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
# Propagation off first: nothing that is mounted here may show outside.
LAY_OUT = """
set -e
mount --make-rprivate /
for folder in /run /var/run /var/lib/docker /var/lib/containerd /etc/docker; do
  [ ! -d "$folder" ] || [ -L "$folder" ] || mount -t tmpfs tmpfs "$folder"
done
ip link set lo up
echo ready
read -r _ || true
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """The namespaces of one `unshare`, and the environment of what runs there."""

    pid: int
    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        spaces = f"/proc/{self.pid}/ns"
        return [
            "nsenter",
            f"--mount={spaces}/mnt",
            f"--net={spaces}/net",
            f"--pid={spaces}/pid_for_children",
            *words,
        ]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def engine(self, *words: str) -> subprocess.CompletedProcess[str]:
        result = self.run("bash", str(ENGINE), *words)
        assert result.returncode == 0, f"{words}: {result.stdout}{result.stderr}"
        return result

    def answers(self) -> bool:
        return self.run("docker", "version").returncode == 0

    def daemon(self) -> str:
        """Return the process id that the daemon wrote, as seen in the cell."""
        return self.run("cat", "/run/docker.pid").stdout.strip()


def engine_in_use() -> tuple[str, str, bool]:
    """Say which dockerd this machine uses: its pid, its start, and whether its bridge stands."""
    pid_file = Path("/run/docker.pid")
    pid = pid_file.read_text().strip() if pid_file.exists() else ""
    stat = Path(f"/proc/{pid}/stat") if pid else Path("/nonexistent")
    start = stat.read_text().rpartition(")")[2].split()[19] if stat.exists() else ""
    return pid, start, Path("/sys/class/net/docker0").exists()


@pytest.fixture
def cell(tmp_path: Path) -> Iterator[Cell]:
    """Return a cell, and check afterwards that the engine outside did not notice."""
    skip_unless_cells_can_be_made()
    before = engine_in_use()
    holder = subprocess.Popen(
        [*UNSHARE, "bash", "-c", LAY_OUT],
        env=os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        said = holder.stdout.readline()
        if said != "ready\n":
            pytest.skip(f"this machine permits no private namespaces: {said.strip()}")
        yield Cell(
            pid=holder.pid,
            environment={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "XDG_STATE_HOME": str(tmp_path / "state"),
            },
        )
    finally:
        holder.stdin.close()  # the first process of the cell reads an end, ends, and all with it
        holder.stdout.close()
        holder.wait(timeout=LIMIT)
    assert engine_in_use() == before


def skip_unless_cells_can_be_made() -> None:
    if os.geteuid() != 0:
        pytest.skip("private mount and network namespaces need root")
    search = os.environ["PATH"] + ":/usr/sbin:/sbin"
    for tool in ("unshare", "nsenter", "ip", "docker", "dockerd"):
        if shutil.which(tool, path=search) is None:
            pytest.skip(f"{tool} is not installed")
    for folder in ("/var/lib/docker", "/etc/docker"):
        if not Path(folder).is_dir():
            pytest.skip(
                f"there is no {folder} to cover: a test engine would write into the real one"
            )


def test_up_starts_an_engine_once_and_stop_ends_it_once(cell: Cell) -> None:
    assert not cell.answers(), "the cell sees the engine outside"
    first = cell.engine("up")
    assert "Started Docker engine" in first.stdout
    assert cell.answers()
    daemon = cell.daemon()

    began = time.monotonic()
    second = cell.engine("up")
    assert "started here before, nothing to do" in second.stdout
    assert time.monotonic() - began < 3
    assert cell.daemon() == daemon

    assert f"pid {daemon}" in cell.engine("status").stdout
    assert "Stopped the engine" in cell.engine("stop").stdout
    assert not cell.answers()
    assert "Nothing to stop" in cell.engine("stop").stdout


def test_an_engine_that_was_stopped_starts_again(cell: Cell) -> None:
    cell.engine("up")
    cell.engine("stop")
    assert "Started Docker engine" in cell.engine("up").stdout
    assert cell.answers()


def test_an_engine_that_somebody_else_started_is_used_and_never_stopped(cell: Cell) -> None:
    with subprocess.Popen(
        cell.command("dockerd"),
        env=cell.environment | {"PATH": f"{cell.environment['PATH']}:/usr/sbin:/sbin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as foreign:
        wait_until(cell.answers)
        daemon = cell.daemon()
        assert "used untouched" in cell.engine("up").stdout
        assert "Nothing to stop" in cell.engine("stop").stdout
        # Nor when a record of an engine of ours, long gone, names the same process number.
        record = Path(cell.environment["XDG_STATE_HOME"]) / "ttctl" / "engine" / "engine"
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        record.write_text(f"how direct\npid {daemon}\nstart 1\nboot {boot}\n")
        assert "has ended before" in cell.engine("stop").stdout
        assert cell.answers()
        assert cell.daemon() == daemon
        foreign.terminate()


def test_a_daemon_that_cannot_start_is_reported_with_the_end_of_its_log(cell: Cell) -> None:
    cell.run("bash", "-c", "echo '{\"no-such-key\": 1}' >/etc/docker/daemon.json")
    result = cell.run("bash", str(ENGINE), "up")
    assert result.returncode == 5, result.stdout
    assert "error: dockerd ended instead of starting." in result.stderr
    assert "no-such-key" in result.stderr
    assert "Nothing to stop" in cell.engine("stop").stdout


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "the engine of the test did not start"
        time.sleep(0.3)
