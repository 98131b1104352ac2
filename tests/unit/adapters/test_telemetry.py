# SPDX-License-Identifier: Apache-2.0
"""Is a snapshot read from its file, and is the golden set whole?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.standins import machines

from ttctl.adapters import places
from ttctl.adapters.golden import NAME, read_golden
from ttctl.adapters.telemetry import LocalTelemetry
from ttctl.adapters.tt_smi import TtSmi
from ttctl.adapters.tt_topology import TtTopology
from ttctl.errors import BadFileError
from ttctl.rules.specifiers import release

if TYPE_CHECKING:
    from pathlib import Path


def telemetry(root: Path) -> LocalTelemetry:
    smi = TtSmi({}, cache=root / "cache", limit_s=1, max_age_s=60)
    wiring = TtTopology({}, root=root, cache=root / "cache", limit_s=1, max_age_s=60)
    return LocalTelemetry(root, smi, wiring, catalog=places.catalog())


def test_a_snapshots_file_is_read_with_its_moment(tmp_path: Path) -> None:
    file = tmp_path / "case 7.json"
    file.write_text("\ufeff" + machines.printed(machines.snapshot("t3k")), encoding="utf-8")
    found = telemetry(tmp_path).replay(file)
    assert len(found.chips) == 8
    assert (found.age_s, found.taken) == (None, "2026-05-04T10:20:30.123456")
    assert found.source == "snapshot case 7.json (tt-smi 4.0.1)"


@pytest.mark.parametrize("kind", ["missing", "a folder", "bytes"])
def test_what_is_no_file_of_a_snapshot_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it"
    if kind == "a folder":
        path.mkdir()
    if kind == "bytes":
        path.write_bytes(bytes(range(256)))
    with pytest.raises(BadFileError):
        telemetry(tmp_path).replay(path)


def test_nothing_is_waited_for_in_a_tree_that_was_made_up(tmp_path: Path) -> None:
    machines.tree(tmp_path, "n150")
    assert [one.beats for one in telemetry(tmp_path).sensors(watch=True)] == [None]


def test_the_golden_set_has_release_numbers_a_source_and_a_day(tmp_path: Path) -> None:
    found = telemetry(tmp_path).golden()
    assert release(found.driver) >= (2,)
    assert release(found.firmware) >= (19,)
    assert "tt-sw-manifest" in found.source
    assert found.date.startswith("2026-")


@pytest.mark.parametrize("text", ["", "schema = 2", "schema = 1\n[versions]\ndriver = 'new'"])
def test_a_damaged_golden_set_is_told(tmp_path: Path, text: str) -> None:
    machines.write(tmp_path / NAME, text)
    with pytest.raises(BadFileError):
        read_golden(tmp_path)
