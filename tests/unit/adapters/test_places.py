# SPDX-License-Identifier: Apache-2.0
"""Is an engine started by what is there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.adapters import places

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
