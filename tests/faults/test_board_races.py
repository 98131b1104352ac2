# SPDX-License-Identifier: Apache-2.0
"""R9. Two stacks that want a board each at the same moment never get the same one.

The boards are made up, the server in the container is a stand-in. Not yet run on a card.
"""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import Stack, finish, free_port
from tests.e2e.made_machine import lay_over
from tests.faults.made_boards import MINORS, Machine, four_boards
from tests.faults.stage import SAVE_S
from tests.standins.nodes import as_root
from tests.standins.server_images import standin_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.conftest import Figure, Rounds
    from tests.faults.own_engine import OwnEngine

pytestmark = [pytest.mark.docker, as_root]

MODEL = "tiiuae/Falcon3-7B-Instruct"
ONE_BOARD = ("--device", "p150", "--lock-timeout", "600")
HELD = 75


@pytest.fixture(scope="module")
def server(quiet: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the stand-in for the server that the model's entry is validated with."""
    image = standin_image("forge")
    path = tmp_path_factory.mktemp("server") / "image.tar"
    subprocess.run(["docker", "save", "--output", str(path), image], check=True, timeout=SAVE_S)
    quiet.docker("load", "--quiet", "--input", str(path))
    return image


@pytest.fixture
def machine(server: str, engine: OwnEngine, tmp_path: Path) -> Iterator[Machine]:
    """Give four boards with the stand-in, on the network of the engine."""
    with four_boards(engine, tmp_path, MODEL, server) as found:
        yield found


def nodes_of(machine: Machine, stack: Stack) -> set[str]:
    """Return the nodes that the containers of a stack may open."""
    found = (one["HostConfig"]["Devices"] or () for one in stack.inspect().values())
    root = str(machine.root)
    return {
        one["PathOnHost"].removeprefix(root)
        for several in found
        for one in several
        if one["PathOnHost"].startswith(root)
    }


def test_two_stacks_at_once_never_share_a_board(
    machine: Machine, rounds: Rounds, figure: Figure
) -> None:
    count = rounds(fast=2, whole=100)
    served = refused = 0
    for number in range(count):
        pair = [
            Stack(ttctl=machine.ttctl, name=f"race-{at}", port=free_port(), target=MODEL)
            for at in ("one", "two")
        ]
        # Two boards for two of them, and in every other round a single one.
        taken = range(2 + number % 2)
        for stack in pair:
            lay_over(stack.folder, "forge")
        with ExitStack() as ends:
            for at in taken:
                machine.container(ends, machine.device(at, at))
            came = [finish(child) for child in [one.start_up(*ONE_BOARD) for one in pair]]
            got = [nodes_of(machine, one) for one in pair]
            assert not got[0] & got[1], (got, came)
            assert not {f"/dev/tenstorrent/{at}" for at in taken} & (got[0] | got[1])
            for ran, nodes in zip(came, got, strict=True):
                assert ran.code in {0, HELD}, ran.out + ran.err
                assert len(nodes) == (1 if ran.code == 0 else 0), (nodes, ran)
            served += sum(ran.code == 0 for ran in came)
            refused += sum(ran.code == HELD for ran in came)
            assert sum(ran.code == 0 for ran in came) == len(MINORS) - len(taken)
            for stack in pair:
                stack.remove()
    figure("R9", f"two stacks that want a board each at once, {count} times", "0 shared boards")
    figure("R9", "of them served, told who has the boards", f"{served}, {refused}")
