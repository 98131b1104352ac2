# SPDX-License-Identifier: Apache-2.0
"""Is an engine started by what is there, and are cards looked for only in a folder?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.errors import BadFileError
from ttctl.model.settings import FoundSetting

if TYPE_CHECKING:
    from pathlib import Path


def checkout(folder: Path) -> Path:
    (folder / "controller" / "ttctl").mkdir(parents=True)
    (folder / "Makefile").touch()
    return folder


def test_in_a_checkout_the_engine_is_made_and_beside_it_by_its_path(tmp_path: Path) -> None:
    assert places.engine_start(checkout(tmp_path / "here")) == "make engine"
    assert places.engine_start(tmp_path) == f"make -C {places.shipped()} engine"


def test_where_ttctl_is_installed_the_systems_engine_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "shipped", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    assert places.engine_start() == "sudo systemctl start docker"
    assert (
        places.engine_install("git")
        == "sudo apt-get install git   # or your distribution's package"
    )
    checkout(tmp_path)
    assert places.engine_install("git") == "make engine   # or: apt-get install git"


@pytest.mark.parametrize("root", ["{}/nowhere", "{}/file", "relative"])
@pytest.mark.parametrize(
    ("source", "step"),
    [
        ("TTCTL_DEVICE_ROOT", "unset TTCTL_DEVICE_ROOT"),
        ("/etc/own.toml", "ttctl --config /etc/own.toml config unset device.root"),
        ("/srv/ttctl.toml", "ttctl config unset --project device.root"),
    ],
)
def test_a_device_root_that_is_no_folder_is_refused_with_who_named_it(
    tmp_path: Path, root: str, source: str, step: str
) -> None:
    (tmp_path / "file").touch()
    named = root.format(tmp_path)
    with pytest.raises(BadFileError, match=r"'device\.root' names no folder") as caught:
        places.device_root(FoundSetting(key="device.root", value=named, source=source))
    assert named in caught.value.message
    assert caught.value.evidence.startswith(source)
    assert caught.value.next_step == step


def test_a_device_root_that_is_a_folder_is_taken(tmp_path: Path) -> None:
    found = FoundSetting(key="device.root", value=str(tmp_path), source="TTCTL_DEVICE_ROOT")
    assert places.device_root(found) == tmp_path
