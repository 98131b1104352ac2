# SPDX-License-Identifier: Apache-2.0
"""Does `--fix` touch what is ours and nothing else?"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from tests.unit.adapters.programs import Programs

from ttctl.adapters import places
from ttctl.adapters.sources import read_sources
from ttctl.adapters.vitals import LocalVitals
from ttctl.errors import TtctlError
from ttctl.model.site import Site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def vitals(tmp_path: Path) -> LocalVitals:
    (tmp_path / "state/stacks/llama").mkdir(parents=True, mode=0o755)
    (tmp_path / "cache").mkdir()
    return LocalVitals(
        os.environ,
        state=tmp_path / "state",
        cache=tmp_path / "cache",
        sources=read_sources(places.catalog()),
        root=tmp_path,
    )


def test_an_open_state_folder_is_closed(vitals: LocalVitals, tmp_path: Path) -> None:
    (tmp_path / "state").chmod(0o755)
    (tmp_path / "state/stacks/llama").chmod(0o755)
    assert vitals.folders().state.exposed == ("stacks/llama",)
    vitals.mend("make-private")
    assert vitals.folders().state.exposed == ()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_only_old_temporary_files_are_swept(vitals: LocalVitals, tmp_path: Path) -> None:
    old, fresh = tmp_path / "cache/.ttctl-old", tmp_path / "cache/.ttctl-fresh"
    kept = tmp_path / "cache/model.safetensors"
    past = time.time() - 7200
    for path in (old, fresh, kept):
        path.touch()
    for path in (old, kept):
        os.utime(path, (past, past))
    vitals.mend("sweep")
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [
        ".ttctl-fresh",
        "model.safetensors",
    ]


def test_containers_are_removed_without_force(
    vitals: LocalVitals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Programs(tmp_path, monkeypatch)
    programs.add("docker")
    vitals.mend("remove-containers", ("abc", "def"))
    assert programs.calls == [["docker", "rm", "abc", "def"]]


def test_an_engine_that_refuses_a_removal_is_quoted(
    vitals: LocalVitals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Programs(tmp_path, monkeypatch).add("docker", "print('is running'); sys.exit(1)")
    with pytest.raises(TtctlError, match="could not be removed") as caught:
        vitals.mend("remove-containers", ("abc",))
    assert caught.value.evidence == "is running"


def test_a_folder_that_cannot_be_closed_is_a_refusal(vitals: LocalVitals, tmp_path: Path) -> None:
    (tmp_path / "state/stacks/llama").rmdir()
    (tmp_path / "state/stacks").rmdir()
    (tmp_path / "state").rmdir()
    with pytest.raises(TtctlError, match="could not be mended"):
        vitals.mend("make-private")


def test_cards_and_the_place_are_looked_at_below_the_root(vitals: LocalVitals) -> None:
    assert vitals.cards().pci == ()
    assert vitals.place(Site(pip_no_index=None)).now > 0
