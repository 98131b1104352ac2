# SPDX-License-Identifier: Apache-2.0
"""Are folders that others can enter, that cannot be written, and what kills left seen?"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ttctl.adapters.folder_vitals import OLD_S, folder_vitals
from ttctl.rules.space_health import state_check

PRIVATE = ("stacks/*", "logs")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state folder as `up` makes it."""
    folder = tmp_path / "state"
    (folder / "stacks/llama").mkdir(parents=True)
    (folder / "logs").mkdir()
    folder.chmod(0o755)
    (folder / "stacks").chmod(0o755)
    (folder / "stacks/llama").chmod(0o700)
    (folder / "logs").chmod(0o700)
    return folder


def test_a_state_folder_as_up_makes_it_is_well(state: Path) -> None:
    found = folder_vitals(state, private=PRIVATE)
    assert (found.exists, found.is_ours, found.writable, found.locks) == (True, True, True, True)
    assert (found.exposed, found.strays) == ((), ())
    assert state_check(found).verdict == "ok"


def test_what_others_can_enter_is_named_until_the_folder_itself_is_closed(state: Path) -> None:
    (state / "stacks/llama").chmod(0o750)
    (state / "logs").chmod(0o755)
    open_ = folder_vitals(state, private=PRIVATE)
    assert open_.exposed == ("stacks/llama", "logs")
    assert state_check(open_).verdict == "failed"
    state.chmod(0o700)
    assert folder_vitals(state, private=PRIVATE).exposed == ()


def test_a_folder_in_which_others_write_is_exposed(state: Path) -> None:
    state.chmod(0o775)
    assert folder_vitals(state, private=PRIVATE).exposed == (str(state),)


def test_a_folder_that_is_not_made_yet_is_judged_by_the_one_above_and_stays_unmade(
    tmp_path: Path,
) -> None:
    found = folder_vitals(tmp_path / "a/b", private=PRIVATE)
    assert (found.exists, found.writable, found.locks) == (False, True, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_refuses_says_why() -> None:
    # procfs takes a file of nobody, root neither.
    found = folder_vitals(Path("/proc/ttctl"))
    assert not found.writable
    assert found.reason


def test_a_folder_that_cannot_be_looked_at_counts_as_absent(tmp_path: Path) -> None:
    too_long = tmp_path / ("x" * 300) / "b"
    found = folder_vitals(too_long, private=PRIVATE)
    assert not found.exists
    assert found.exposed == found.strays == ()


def test_looking_leaves_nothing_behind(state: Path) -> None:
    before = sorted(state.rglob("*"))
    folder_vitals(state, private=PRIVATE)
    assert sorted(state.rglob("*")) == before


def test_temporary_files_of_killed_commands_are_found_and_fresh_ones_are_not(state: Path) -> None:
    old = state / "stacks/llama/.ttctl-abc"
    fresh = state / "stacks/llama/.ttctl-def"
    for path in (old, fresh, state / "other"):
        path.touch()
    past = time.time() - OLD_S - 60
    os.utime(old, (past, past))
    assert folder_vitals(state).strays == (str(old),)
