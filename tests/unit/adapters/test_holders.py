# SPDX-License-Identifier: Apache-2.0
"""Is whoever has a node open seen, and is nobody taken for nobody where one cannot see?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.standins import machines
from tests.standins.nodes import as_root, device_file

from ttctl.adapters.holders import Held, holders

if TYPE_CHECKING:
    from pathlib import Path


def held(root: Path, node: str = "0") -> Held:
    return holders(root, [node])[node]


def test_no_nodes_have_no_holders(tmp_path: Path) -> None:
    assert holders(tmp_path, []) == {}


def test_the_drivers_list_knows_everybody(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    machines.blind(tmp_path, 1)
    assert held(tmp_path) == Held(holders=(), complete=True)


def test_a_process_outside_of_this_container_holds_all_the_same(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    machines.write(tmp_path / "proc/driver/tenstorrent/0/pids", "0\n0")
    assert held(tmp_path).holders == ("a process outside this container",)


def test_without_the_drivers_list_open_files_are_looked_at(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    (tmp_path / "proc/driver/tenstorrent/0/pids").unlink()
    machines.opened(tmp_path, 0, 77, listed=False)
    machines.opened(tmp_path, 0, 9, name="tt-top", listed=False)
    assert held(tmp_path) == Held(holders=("pid 9 (tt-top)", "pid 77 (python3)"), complete=True)


def test_an_open_file_that_the_list_lacks_counts_too(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    machines.opened(tmp_path, 0, 77, listed=False)
    assert held(tmp_path).holders == ("pid 77 (python3)",)


def test_a_process_that_cannot_be_looked_into_may_hold_anything(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    machines.unreadable_pids(tmp_path, 0)
    machines.blind(tmp_path, 4000)
    assert held(tmp_path) == Held(holders=(), complete=False)


def test_without_any_process_to_see_nothing_is_known(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    machines.unreadable_pids(tmp_path, 0)
    assert not held(tmp_path).complete


def test_a_made_up_trees_own_paths_and_other_files_are_told_apart(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    folder = tmp_path / "proc/8/fd"
    folder.mkdir(parents=True)
    (folder / "1").symlink_to(tmp_path / "dev/tenstorrent/0")
    (folder / "2").symlink_to("/dev/tenstorrent/by-id/x")
    (folder / "3").symlink_to("/dev/null")
    assert held(tmp_path).holders == ("pid 8 (unknown)",)


@as_root
def test_in_a_container_a_nodes_own_number_decides_and_not_its_name(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150x4")
    device_file(tmp_path / "dev/tenstorrent/2", 235, 2)
    (tmp_path / "dev/inside").mkdir()
    device_file(tmp_path / "dev/inside/0", 235, 2)
    folder = tmp_path / "proc/8/fd"
    folder.mkdir(parents=True)
    (folder / "1").symlink_to(tmp_path / "dev/inside/0")
    assert held(tmp_path, "2").holders == ("pid 8 (unknown)",)
    assert held(tmp_path, "0").holders == ()
