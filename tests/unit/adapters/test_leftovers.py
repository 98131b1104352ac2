# SPDX-License-Identifier: Apache-2.0
"""Are files of killed commands found, and caches removed or refused whole with what helps?"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from ttctl.adapters.leftovers import LocalLeftovers
from ttctl.errors import PrivilegeError, TtctlError
from ttctl.model.litter import InUse, StrayFile


@pytest.fixture
def place(tmp_path: Path) -> LocalLeftovers:
    return LocalLeftovers({}, folders=(tmp_path / "state", tmp_path / "none"))


def test_only_temporary_files_that_are_old_are_found(place: LocalLeftovers, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "stacks"
    folder.mkdir(parents=True)
    for name in (".ttctl-old", ".ttctl-new", "ttctl.lock"):
        (folder / name).write_text("12345")
    long_ago = time.time() - 7200
    for name in (".ttctl-old", "ttctl.lock"):
        os.utime(folder / name, (long_ago, long_ago))
    assert place.files() == (StrayFile(path=str(folder / ".ttctl-old"), size_bytes=5),)


def test_a_cache_goes_whole_and_one_that_is_gone_is_no_error(
    place: LocalLeftovers, tmp_path: Path
) -> None:
    cache = tmp_path / "cache" / "one"
    (cache / "kernels").mkdir(parents=True)
    (cache / "kernels" / "x").write_text("x")
    place.remove_cache(cache)
    assert not cache.exists()
    place.remove_cache(cache)


DENIED, BROKEN = PermissionError(13, "Permission denied"), OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("error", "step"),
    [
        pytest.param(DENIED, "sudo rm -r", id="another's"),
        pytest.param(BROKEN, "ls -la", id="a bad disk"),
    ],
)
def test_a_cache_that_cannot_go_is_refused_with_what_helps(
    place: LocalLeftovers, monkeypatch: pytest.MonkeyPatch, error: OSError, step: str
) -> None:
    def refuse(folder: Path) -> None:  # noqa: ARG001
        raise error

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(PrivilegeError if error is DENIED else TtctlError) as caught:
        place.remove_cache(Path("/c/a cache"))
    assert caught.value.next_step == f"{step} '/c/a cache'"


def test_what_containers_use_of_this_machine_is_told(
    place: LocalLeftovers, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [
        {
            "ImageID": "one",
            "Mounts": [{"Type": "bind", "Source": "/c/one"}, {"Type": "volume", "Name": "v"}],
        },
        {"ImageID": "two", "Mounts": None},
    ]
    monkeypatch.setattr(place, "_asked", lambda _: seen)
    assert place.in_use() == InUse(images=frozenset({"one", "two"}), folders=frozenset({"/c/one"}))
