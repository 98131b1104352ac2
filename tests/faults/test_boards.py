# SPDX-License-Identifier: Apache-2.0
"""Boards that somebody holds are never given away, and a card's tool that hangs holds up nobody.

The machine is made up: its nodes are device files of the kernel's memory device, which real
processes and containers open. Not yet run on a card.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.faults.made_boards import MINORS, Machine, four_boards
from tests.faults.refused import parts
from tests.standins import machines
from tests.standins.nodes import as_root
from tests.standins.product_images import product_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.driver import Ttctl
    from tests.faults.conftest import Figure, Rounds
    from tests.faults.own_engine import OwnEngine

pytestmark = [pytest.mark.docker, as_root]

SEED = 13
MODEL = "tiiuae/Falcon3-7B-Instruct"
HELD, UNSEEN = 75, 6
HANGS = """\
#!/bin/sh
trap '' TERM
sleep 3600 &
echo "$$ $!" >> {pids}
exec cat {node}
"""
"""A tool that opens a card whose driver never answers, with a child, and ends for no request."""
LOOK_S = 20
"""What decision 5 of DESIGN.md gives a look at the cards, and a second for Python."""


@pytest.fixture
def machine(engine: OwnEngine, tmp_path: Path) -> Iterator[Machine]:
    """Give four boards whose engine is never started: its image is any."""
    with four_boards(engine, tmp_path, MODEL, product_images()["gateway"]) as found:
        yield found


KINDS = ("free", "listed", "unlisted", "device", "renamed", "stopped")


def hold(machine: Machine, stack: ExitStack, number: int, kind: str) -> str:
    """Let somebody hold a board in a way; return how the holder is called, empty for nobody."""
    if kind in {"listed", "unlisted"}:
        return machine.process(stack, number, listed=kind == "listed")
    if kind in {"device", "renamed"}:
        return machine.container(stack, machine.device(number, number if kind == "device" else 9))
    if kind == "stopped":
        name = machine.container(stack, machine.device(number, number)).rpartition(" ")[2]
        machine.engine.docker("kill", name)
    return ""


def test_a_board_that_anybody_holds_is_never_free_and_its_holder_is_named(
    machine: Machine, rounds: Rounds, figure: Figure
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a choice, no secret
    count = rounds(fast=4, whole=50)
    held, took = 0, []
    for _ in range(count):
        kinds = chance.choices(KINDS, k=len(MINORS))
        with ExitStack() as stack:
            names = [hold(machine, stack, at, kind) for at, kind in enumerate(kinds)]
            begun = time.monotonic()
            boards = machine.boards()
            took.append(time.monotonic() - begun)
            for kind, name, board in zip(kinds, names, boards, strict=True):
                assert board["free"] == ("held" if name else "free"), (kind, board)
                assert any(one.startswith(name) for one in board["holders"]) or not name, board
            held += sum(map(bool, names))
    figure("R13", f"boards that somebody held ({count} machines): free, unnamed", f"0, 0 of {held}")
    figure("R13", "a look at four boards, median", f"{sorted(took)[count // 2]:.1f} s")


@pytest.mark.parametrize("words", [(), ("--env=TT_VISIBLE_DEVICES=1",)], ids=["plain", "told one"])
def test_a_container_with_the_whole_folder_holds_every_board(
    machine: Machine, words: tuple[str, ...]
) -> None:
    # A variable is what it was told; whatever runs in it can open any of them all the same.
    whole = f"--volume={machine.root}/dev/tenstorrent:/dev/tenstorrent"
    with ExitStack() as stack:
        name = machine.container(stack, whole, "--device-cgroup-rule=c 1:* rmw", *words)
        boards = machine.boards()
    assert [board["free"] for board in boards] == ["held"] * len(MINORS)
    assert all(any(one.startswith(name) for one in board["holders"]) for board in boards)


def test_an_up_takes_the_board_that_nobody_holds_or_is_refused_and_changes_nothing(
    machine: Machine, figure: Figure
) -> None:
    words = ("up", MODEL, "--name", "boards", "--device", "p150")
    with ExitStack() as stack:
        pid = machine.process(stack, 0, listed=True)
        names = [machine.container(stack, machine.device(at, at)) for at in (1, 3)]
        planned = machine.ttctl.run(*words, "--dry-run").out
        assert f"from board {machine.boards()[2]['id']}, which is free" in planned
        names += [pid, machine.container(stack, machine.device(2, 2))]
        before = set(machine.engine.containers())
        begun = time.monotonic()
        ran = machine.ttctl.run(*words, exits=HELD, limit_s=120)
        took = time.monotonic() - begun
        said = " ".join(parts(ran.err).values())
        assert all(name in said for name in names), said
        assert set(machine.engine.containers()) == before
        assert not machine.ttctl.stacks.exists() or not list(
            machine.ttctl.stacks.glob("*/rendered")
        )
    figure("R13", "`up` with all boards held: refused, every holder named, after", f"{took:.1f} s")


def test_who_cannot_be_seen_makes_a_board_unknown_and_not_free(machine: Machine) -> None:
    machines.unreadable_pids(machine.root, 0)
    # Nobody may look into the open files of this process of another user.
    machines.blind(machine.root, 1)
    free = [board["free"] for board in machine.boards()]
    assert free == ["unknown", "free", "free", "free"]
    with ExitStack() as stack:
        for at in (1, 2, 3):
            machine.container(stack, machine.device(at, at))
        ran = machine.ttctl.run("up", MODEL, "--device", "p150", exits=UNSEEN)
        assert "/dev/tenstorrent/0" in parts(ran.err)["evidence"]


@pytest.fixture
def hung(machine: Machine, tmp_path: Path) -> Iterator[tuple[Ttctl, Callable[[], list[str]]]]:
    """Give ttctl where tt-smi hangs, and what tells which of its processes still run."""
    tool, pids, node = tmp_path / "bin" / "tt-smi", tmp_path / "pids", tmp_path / "node"
    tool.parent.mkdir()
    # To open it for reading waits for a writer, who never comes.
    os.mkfifo(node)
    tool.write_text(HANGS.format(pids=pids, node=node))
    tool.chmod(0o755)
    path = f"{tool.parent}:{machine.ttctl.environ['PATH']}"
    own = replace(machine.ttctl, environ={**machine.ttctl.environ, "PATH": path})

    def left() -> list[str]:
        begun = pids.read_text().split() if pids.exists() else []
        return [pid for pid in begun if running(pid)]

    yield own, left
    assert left() == []


def running(pid: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


LOOKS = (("devices", "ls"), ("plan", MODEL, "--device", "p150"), ("devices", "check"))
"""The last one asks the tool."""


def test_a_tool_that_hangs_holds_up_no_look_is_told_and_leaves_no_process(
    hung: tuple[Ttctl, Callable[[], list[str]]], figure: Figure
) -> None:
    ttctl, left = hung
    took = []
    for words in LOOKS:
        begun = time.monotonic()
        ttctl.run(*words, exits=None, limit_s=120)
        took.append(time.monotonic() - begun)
        assert left() == []
    assert max(took) < LOOK_S + 2
    figure("R14", "looks while tt-smi hangs: the longest, processes left", f"{max(took):.1f} s, 0")
    for words in ("devices", "check"), ("doctor",):
        checks = ttctl.run(*words, "--json", exits=1, limit_s=120).data["checks"]
        (found,) = (one for one in checks if one["name"] == "tt-smi")
        assert found["verdict"] == "failed"
        assert "did not answer" in found["evidence"]
    boards = ttctl.run("devices", "ls", "--json").data["boards"]
    assert [(one["free"], one["verdict"]) for one in boards] == [("free", "healthy")] * len(MINORS)


def test_a_reset_by_a_tool_that_hangs_is_told_and_the_boards_are_not_called_clean(
    hung: tuple[Ttctl, Callable[[], list[str]]], machine: Machine, figure: Figure
) -> None:
    ttctl, left = hung
    serial = machine.boards()[0]["id"]
    begun = time.monotonic()
    ran = ttctl.run("devices", "reset", serial, "--yes", exits=124, limit_s=240)
    took = time.monotonic() - begun
    said = parts(ran.err)
    assert "tt-smi did not tell its version" in said["error"]
    assert "one of them hangs" in said["why"]
    assert left() == []
    dirty = [board["dirty"] for board in machine.boards()]
    assert dirty == ["its last reset failed"] * len(MINORS)
    figure("R14", "a reset by a tool that hangs, ended and told after", f"{took:.1f} s")
