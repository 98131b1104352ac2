# SPDX-License-Identifier: Apache-2.0
"""Do the verbs that change boards ask first, and say what they did?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.adapters.programs import Programs
from tests.unit.adapters.test_claims import KILLED, LABELS, frames, inspect, on
from tests.unit.adapters.test_docker_look import LIST, answers
from tests.unit.cli.in_process import run
from tests.unit.cli.test_devices import data
from tests.unit.cli.test_start_up import SLOW, loaded

if TYPE_CHECKING:
    from pathlib import Path

SMI = "if '-v' in sys.argv: print('6.2.1'); sys.exit()"
KEY = machines.chips_of(machines.KINDS["n150"])[0].asic


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


@pytest.fixture
def environ(tmp_path: Path, programs: Programs) -> dict[str, str]:  # noqa: ARG001 - PATH is its
    """A user whose home is empty, on a machine without cards, with a lock's folder of its own."""
    (tmp_path / "home").mkdir()
    lock = tmp_path / "root/run/lock"
    lock.mkdir(parents=True)
    lock.chmod(0o1777)
    machines.write(tmp_path / "root/proc/cpuinfo", "flags\t\t: fpu")
    home = {"HOME": str(tmp_path / "home"), "TTCTL_DEVICE_ROOT": str(tmp_path / "root")}
    return {"PATH": os.environ["PATH"], **home}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The same machine with one board."""
    return machines.tree(tmp_path / "root", "n150")


def killed(programs: Programs, tmp_path: Path) -> None:
    """Let a container that leased the board have been killed."""
    labels = {**LABELS, "dev.ttctl.boards": KEY}
    mapped = on(tmp_path / "root")
    shown = inspect(1, Config={"Labels": labels}, State=KILLED, HostConfig=mapped)
    found = {
        LIST: (200, json.dumps([{"Id": shown["Id"]}])),
        f"/containers/{shown['Id']}/json": (200, json.dumps(shown)),
        f"/containers/{shown['Id']}/logs": (200, frames("bye")),
    }
    answers(programs, tmp_path / "asked", found)


@pytest.mark.usefixtures("root")
def test_a_dirty_board_is_listed_reset_after_consent_and_clean_then(
    environ: dict[str, str],
    programs: Programs,
    tmp_path: Path,
) -> None:
    killed(programs, tmp_path)
    listed = run(environ, "devices", "ls").stdout
    assert "free, needs a reset" in listed
    assert "container box-1 was killed (exit code 137)" in listed
    assert "needs a reset" in run(environ, "devices", "info").stdout
    assert data(environ, "devices", "ls")["boards"][0]["dirty"]
    programs.add("tt-smi", SMI)
    done = run(environ, "devices", "reset")
    assert done.returncode == 2
    assert "next:     ttctl devices reset --yes" in done.stderr
    planned = run(environ, "devices", "reset", "--dry-run").stdout
    assert "nodes    /dev/tenstorrent/0" in planned
    assert "stacks   llama" in planned
    assert ["tt-smi", "-r", "/dev/tenstorrent/0"] not in programs.calls
    done = run(environ, "devices", "reset", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Reset 1 board in ")
    assert ["tt-smi", "-r", "/dev/tenstorrent/0"] in programs.calls
    assert "needs a reset" not in run(environ, "devices", "ls").stdout
    assert [path.suffix for path in (tmp_path / "root/run/lock").iterdir()] == [".flock"]


@pytest.mark.usefixtures("root")
def test_clear_says_what_it_took_for_clean(
    environ: dict[str, str],
    programs: Programs,
    tmp_path: Path,
) -> None:
    killed(programs, tmp_path)
    assert "would count as clean" in run(environ, "devices", "clear", "--dry-run").stdout
    found = data(environ, "devices", "clear", "--yes")
    assert (len(found["boards"]), found["done"]) == (1, True)
    again = run(environ, "devices", "clear", "--yes")
    assert again.returncode == 2
    assert "No board is known to need it" in again.stderr


def test_stale_files_are_named_by_the_check_and_removed_by_clear(
    environ: dict[str, str],
    root: Path,
) -> None:
    file = root / "dev/hugepages-1G/device_0_tenstorrent"
    machines.write(file, "")
    said = run(environ, "devices", "check").stdout
    assert "stale hugepages" in said
    assert "/dev/hugepages-1G/device_0_tenstorrent" in said
    assert "fix:   ttctl devices clear" in said
    done = run(environ, "devices", "clear")
    assert "why:      Remove device_0_tenstorrent?" in done.stderr
    assert file.exists()
    assert run(environ, "devices", "clear", "--yes").stdout == (
        "/dev/hugepages-1G/device_0_tenstorrent was removed.\n"
    )
    assert not file.exists()


def test_a_held_board_is_not_reset_and_the_dry_run_says_who_has_it(
    environ: dict[str, str],
    root: Path,
) -> None:
    machines.opened(root, 0, 120)
    done = run(environ, "devices", "reset", "0", "--yes")
    assert done.returncode == 75
    assert "held by pid 120 (python3)" in done.stderr
    assert "next:     ps -o pid,user,etime,args -p 120" in done.stderr
    planned = run(environ, "devices", "reset", "0", "--dry-run")
    assert planned.returncode == 0
    assert "blocked  board" in planned.stdout


def test_without_cards_there_is_nothing_to_reset(environ: dict[str, str]) -> None:
    done = run(environ, "devices", "reset", "--all")
    assert done.returncode == 3
    assert "no board" in done.stderr


@pytest.mark.usefixtures("root")
def test_a_listing_with_boards_and_containers_loads_nothing_that_is_slow(
    environ: dict[str, str],
    programs: Programs,
    tmp_path: Path,
) -> None:
    killed(programs, tmp_path)
    code, found = loaded(environ, "devices", "ls")
    assert code == 0
    assert not found & SLOW
