# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.scratch import scratch

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    return child.pid


def test_a_folder_is_private_and_gone_after_the_block(place: Path) -> None:
    with scratch("build") as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("half made")
    assert not list(place.iterdir())


def test_what_a_killed_command_left_is_swept_by_the_next(place: Path) -> None:
    stray = place / f"ttctl-build-{dead_pid()}-abc"
    stray.mkdir()
    with scratch("build"):
        assert not stray.exists()


def test_what_a_living_command_uses_and_what_is_not_ours_by_name_stays(place: Path) -> None:
    kept = [
        place / f"ttctl-build-{os.getpid()}-abc",
        place / f"ttctl-rootfs-{dead_pid()}-abc",
        place / "ttctl-build-notes",
    ]
    for folder in kept:
        folder.mkdir()
    with scratch("build"):
        assert all(folder.exists() for folder in kept)


def test_a_link_is_never_followed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("elsewhere")
    (place / f"ttctl-build-{dead_pid()}-abc").symlink_to(target)
    with scratch("build"):
        assert target.exists()
