# SPDX-License-Identifier: Apache-2.0
"""Are full disks, open folders and what kills left told, each with its fix?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ttctl.model.health import Check, FolderVitals
from ttctl.rules.space_health import (
    cache_check,
    inodes_check,
    room_check,
    state_check,
    strays_check,
)

GB = 1_000_000_000
WELL = FolderVitals(path="/home/ann/.local/state/ttctl", exists=True, writable=True, locks=True)


def room(free: int, needed: int) -> Check:
    return room_check("images", "/srv", free=free, needed=needed, what="images a, b", fix="prune")


@pytest.mark.parametrize(
    ("free", "needed", "verdict"),
    [
        pytest.param(10 * GB, 5 * GB, "ok", id="enough"),
        pytest.param(10 * GB, 0, "ok", id="nothing needed"),
        pytest.param(4 * GB, 5 * GB, "failed", id="too little"),
        pytest.param(GB, 0, "warning", id="nearly full"),
        pytest.param(0, 0, "warning", id="full"),
    ],
)
def test_room_is_judged_by_what_is_still_to_come(free: int, needed: int, verdict: str) -> None:
    check = room(free, needed)
    assert check.verdict == verdict
    assert (check.fix == "prune") == (verdict != "ok")


def test_too_little_room_is_told_in_bytes_with_the_folder() -> None:
    assert room(4 * GB, 5 * GB).evidence == "/srv: 4.0 GB free, 5.0 GB needed."
    assert room(4 * GB, 5 * GB).summary == "not enough room for the images a, b"


@pytest.mark.parametrize(
    ("free", "verdict"), [(None, "ok"), (1_000_000, "ok"), (49_999, "failed"), (0, "failed")]
)
def test_a_file_system_that_takes_no_more_files_is_full(free: int | None, verdict: str) -> None:
    check = inodes_check("/srv", free)
    assert check.verdict == verdict
    assert bool(check.fix) == (verdict == "failed")


def test_folders_that_are_well_or_not_made_yet_have_nothing_to_do() -> None:
    assert state_check(WELL).verdict == "ok"
    assert cache_check(WELL).verdict == "ok"
    fresh = replace(WELL, exists=False)
    assert state_check(fresh).summary == cache_check(fresh).summary == "not made yet"


@pytest.mark.parametrize(
    ("changes", "summary", "fix", "harmless"),
    [
        pytest.param(
            {"exposed": ("stacks/llama",), "mode": 0o755},
            "other users can get into",
            "chmod 0700 /home/ann/.local/state/ttctl",
            True,
            id="open",
        ),
        pytest.param(
            {"is_ours": False}, "another user", "sudo chown -R $USER", False, id="made under sudo"
        ),
        pytest.param(
            {"writable": False, "reason": "Read-only file system"},
            "cannot be written",
            "export XDG_STATE_HOME=",
            False,
            id="read-only",
        ),
        pytest.param(
            {"locks": False, "reason": "No locks available"},
            "no working locks",
            "export XDG_STATE_HOME=",
            False,
            id="no locks",
        ),
    ],
)
def test_a_state_folder_that_is_not_well_fails(
    changes: dict[str, Any], summary: str, fix: str, *, harmless: bool
) -> None:
    check = state_check(replace(WELL, **changes))
    assert check.verdict == "failed"
    assert summary in check.summary
    assert check.fix.startswith(fix)
    assert check.harmless is harmless
    assert str(changes.get("reason", "")) in check.evidence


@pytest.mark.parametrize("changes", [{"is_ours": False}, {"writable": False, "reason": "full"}])
def test_a_cache_that_cannot_be_used_fails(changes: dict[str, Any]) -> None:
    check = cache_check(replace(WELL, **changes))
    assert check.verdict == "failed"
    assert check.fix


def test_a_path_with_a_blank_is_quoted_in_its_fix() -> None:
    odd = replace(WELL, path="/home/ann b/ttctl", exposed=("/home/ann b/ttctl",))
    assert state_check(odd).fix == "chmod 0700 '/home/ann b/ttctl'"


def test_what_kills_left_is_counted_and_the_first_ones_are_named() -> None:
    assert strays_check(WELL, WELL).verdict == "ok"
    one = strays_check(replace(WELL, strays=("/a/.ttctl-1",)), WELL)
    assert (one.verdict, one.harmless) == ("warning", True)
    assert one.summary == "1 temporary file of killed commands"
    many = strays_check(WELL, replace(WELL, strays=("/1", "/2", "/3", "/4")))
    assert many.summary.startswith("4 temporary files")
    assert many.evidence == "/1, /2, /3 ..."
    assert "-mmin +60" in many.fix
