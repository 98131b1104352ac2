# SPDX-License-Identifier: Apache-2.0
"""Do the verbs on cards answer whatever the machine is, for people and for programs?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins import machines
from tests.unit.adapters.programs import Programs
from tests.unit.adapters.test_tt_smi import HANGS
from tests.unit.cli.in_process import run
from tests.unit.cli.test_start_up import SLOW, TTCTL, WATCHED

if TYPE_CHECKING:
    from pathlib import Path

VERBS = [["ls"], ["info"], ["check"]]


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A user whose home is empty, and whose PATH has a tt-smi only where a test makes one."""
    (tmp_path / "home").mkdir()
    (tmp_path / "root").mkdir()
    Programs(tmp_path, monkeypatch)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, "HOME": str(tmp_path / "home"), "TTCTL_DEVICE_ROOT": str(tmp_path / "root")}


def child(
    environ: dict[str, str], *words: str, before: tuple[str, ...] = ("-m", "ttctl.cli.main")
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *before, *words],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        timeout=60,
    )


def data(environ: dict[str, str], *words: str) -> Any:  # noqa: ANN401 - whatever JSON has
    return json.loads(run(environ, "--json", *words).stdout)["data"]


@pytest.mark.parametrize("device", list(machines.KINDS))
def test_each_machine_is_listed_with_its_boards_and_forms(
    environ: dict[str, str], tmp_path: Path, device: str
) -> None:
    kind = machines.KINDS[device]
    machines.tree(tmp_path / "root", device)
    done = run(environ, "devices", "ls")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"device   {device} (")
    assert done.stdout.count("healthy") == kind.boards
    found = data(environ, "devices", "ls")
    assert [one["device"] for one in found["forms"]] == list(kind.forms)
    assert {one["free"] for one in found["boards"]} == {"free"}


@pytest.mark.parametrize("verb", VERBS)
def test_without_cards_driver_and_tools_every_verb_answers(
    environ: dict[str, str], verb: list[str]
) -> None:
    done = run(environ, "devices", *verb)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert data(environ, "devices", *verb)["device"] == "cpu"


def test_a_held_board_is_held_while_others_are_free(
    environ: dict[str, str], tmp_path: Path
) -> None:
    machines.opened(machines.tree(tmp_path / "root", "p300x2"), 0, 120)
    text = run(environ, "devices").stdout
    assert "held by pid 120 (python3)" in text
    done = run(environ, "devices", "info")
    assert "tt-smi is not asked" in done.stderr
    assert "pid 120 (python3)" in done.stdout


def test_a_machine_of_two_kinds_shows_what_each_can_form(
    environ: dict[str, str], tmp_path: Path
) -> None:
    machines.tree(tmp_path / "root", "n150")
    machines.tree(tmp_path / "root", "p150", first=1)
    lines = run(environ, "devices", "ls").stdout.splitlines()
    assert lines[0].startswith("device   not known (Cards of different kinds")
    assert [line.split()[:2] for line in lines[-2:]] == [["n150", "0"], ["p150", "1"]]


@pytest.mark.parametrize("year", machines.FORMATS)
def test_a_support_case_is_replayed(environ: dict[str, str], tmp_path: Path, year: int) -> None:
    file = tmp_path / "case.json"
    file.write_text(machines.printed(machines.snapshot("t3k", year), before="Loading\n"))
    for verb in VERBS:
        done = run(environ, "devices", *verb, "--tt-smi-snapshot", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "what is shown is the snapshot's" in done.stderr
    found = data(environ, "devices", "info", "3", "--tt-smi-snapshot", str(file))
    assert found["device"] == "t3k"
    assert found["taken"].startswith(f"{year}-05-04")
    assert [chip["remote"] for chip in found["boards"][0]["chips"]] == [False, True]


def test_a_broken_snapshot_is_refused_in_four_lines(
    environ: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "case.json"
    file.write_text(machines.printed(machines.snapshot("t3k"))[:5000])
    done = run(environ, "devices", "info", "--tt-smi-snapshot", str(file))
    assert done.returncode == 9
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "error", "why", "evidence", "next",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_a_tt_smi_that_hangs_keeps_nobody_beyond_its_limit(
    environ: dict[str, str], tmp_path: Path, verb: list[str]
) -> None:
    machines.tree(tmp_path / "root", "n150")
    path = tmp_path / "bin" / "tt-smi"
    body = HANGS.format(pid=str(tmp_path / "pid"))
    path.write_text(f"#!{sys.executable} -I\nimport os, pathlib\n{body}", encoding="utf-8")
    path.chmod(0o755)
    started = time.monotonic()
    done = child(environ | {"TTCTL_DEVICE_TT_SMI_TIMEOUT": "2"}, "devices", *verb)
    assert time.monotonic() - started < 8
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 1}
    assert ("tt-smi did not answer" in done.stderr) == (verb != ["ls"])
    if verb != ["ls"]:
        started = time.monotonic()
        assert "s ago" in child(environ, "devices", *verb).stderr
        assert time.monotonic() - started < 5


def test_telemetry_is_kept_and_shown_with_its_age(environ: dict[str, str], tmp_path: Path) -> None:
    machines.tree(tmp_path / "root", "n300")
    path = tmp_path / "bin" / "tt-smi"
    text = machines.printed(machines.snapshot("n300"), before="Detecting\n")
    path.write_text(f"#!{sys.executable} -I\nprint({text!r})\n", encoding="utf-8")
    path.chmod(0o755)
    first = data(environ, "devices", "info")
    assert (len(first["boards"][0]["chips"]), first["age_s"]) == (2, 0)
    path.unlink()
    again = data(environ, "devices", "info")
    assert again["source"] == first["source"] == "tt-smi (tt-smi 4.0.1)"
    assert 0 < again["age_s"] < 60
    assert " s old" in run(environ, "devices", "ls").stdout
    late = data(environ | {"TTCTL_DEVICE_MAX_AGE": "0"}, "devices", "info")
    assert late["notes"] == ["No telemetry: tt-smi is not installed."]


@pytest.mark.parametrize(
    ("changes", "words", "said"),
    [
        pytest.param({"MESH_DEVICE": "N300"}, [], "n300 (MESH_DEVICE=N300", id="a part"),
        pytest.param({"MESH_DEVICE": "TG"}, [], "MESH_DEVICE=TG means galaxy, but", id="not here"),
        pytest.param({"MESH_DEVICE": "x"}, [], "MESH_DEVICE=x is no mesh", id="not known"),
        pytest.param({}, ["--device", "n300"], "n300 (--device n300)", id="a flag"),
        pytest.param({}, ["--device", "p150x4"], "means p150x4, but these cards form", id="wrong"),
    ],
)
def test_a_device_that_was_named_wins_and_a_mismatch_is_said(
    environ: dict[str, str], tmp_path: Path, changes: dict[str, str], words: list[str], said: str
) -> None:
    machines.tree(tmp_path / "root", "t3k")
    assert said in run(environ | changes, "devices", "ls", *words).stdout


def test_a_check_of_boards_that_are_not_fit_ends_with_one(
    environ: dict[str, str], tmp_path: Path
) -> None:
    machines.tree(tmp_path / "root", "n150x4", firmware={1: "18.5.0.0"})
    (tmp_path / "root/dev/tenstorrent/0").chmod(0o600)
    done = run(environ, "devices", "check")
    assert done.returncode == 1
    assert "the boards do not have the same firmware" in done.stdout
    assert "a container's user (1000) may not open every node" in done.stdout
    found = data(environ, "devices", "check")
    assert not found["passed"]
    assert found["golden"]["driver"] == "2.10.0"


def test_the_directory_of_the_driver_may_be_of_any_shape(
    environ: dict[str, str], tmp_path: Path
) -> None:
    root = machines.tree(tmp_path / "root", "p300x2")
    folder = root / "sys/class/tenstorrent"
    (folder / "tenstorrent!x").mkdir()
    (folder / "other").touch()
    (folder / "tenstorrent!0/tt_card_type").unlink()
    (folder / "tenstorrent!1/tt_heartbeat").write_bytes(b"\xff\xfe")
    (folder / "tenstorrent!2/device").unlink()
    for verb in VERBS:
        done = run(environ, "devices", *verb)
        assert "Traceback" not in done.stderr
        assert done.returncode in {0, 1}


def test_listing_cards_loads_nothing_slow_and_starts_no_program(
    environ: dict[str, str], tmp_path: Path
) -> None:
    machines.tree(tmp_path / "root", "t3k")
    flags = ("-X", "importtime", "-m", "ttctl.cli.main")
    done = child(environ, "devices", "ls", before=flags)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "ttctl" in names
    assert not names & SLOW
    done = child(environ, "devices", "ls", before=("-c", WATCHED + TTCTL))
    assert done.returncode == 0
    assert "SEEN" not in done.stderr


@pytest.mark.parametrize("layout", list(machines.LAYOUTS))
def test_the_wiring_of_boards_is_shown_and_a_wrong_one_fails(
    environ: dict[str, str], tmp_path: Path, layout: str
) -> None:
    file = tmp_path / "case.json"
    file.write_text(machines.printed(machines.laid_out("n150x4", layout)))
    words = ["--tt-smi-snapshot", str(file)]
    assert f"wiring   {layout} (snapshot" in run(environ, "devices", "info", *words).stdout
    done = run(environ, "devices", "check", *words)
    assert done.returncode == (0 if layout in {"mesh", "unknown"} else 1), done.stdout
    assert ("tt-topology -l mesh" in done.stdout) == (done.returncode == 1)
    assert data(environ, "devices", "check", *words)["topology"]["kind"] == layout
    planned = run(environ, "plan", "Llama-3.1-8B-Instruct", "--device", "n150x4", *words)
    assert "Traceback" not in planned.stderr
    tree = machines.tree(tmp_path / "root", "n150x4")
    machines.write(tree / "tt-topology.txt", machines.listing("n150x4", layout))
    assert f"wiring   {layout} (tt-topology.txt:" in run(environ, "devices", "ls").stdout
