# SPDX-License-Identifier: Apache-2.0
"""Is it kept how long starts took, and does a damaged file keep nobody from starting?"""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters.starts_file import StartsFile
from ttctl.errors import TtctlError
from ttctl.model.starts import Started

if TYPE_CHECKING:
    from pathlib import Path

ONE = Started(key="acme/Llama n300", first=True, seconds=1800.5)


@pytest.fixture
def file(tmp_path: Path) -> StartsFile:
    return StartsFile(tmp_path, FakeReporter)


def test_nothing_is_kept_at_first_and_reading_writes_nothing(
    file: StartsFile, tmp_path: Path
) -> None:
    assert file.earlier() == ()
    assert not list(tmp_path.iterdir())


def test_what_is_kept_is_read_again_by_the_next_command(file: StartsFile, tmp_path: Path) -> None:
    file.keep(ONE)
    assert StartsFile(tmp_path, FakeReporter).earlier() == (ONE,)
    assert stat.S_IMODE((tmp_path / "starts.json").stat().st_mode) == 0o600


def test_commands_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    def keep(at: int) -> None:
        one = Started(key=f"key {at}", first=False, seconds=1)
        StartsFile(tmp_path, FakeReporter).keep(one)

    threads = [threading.Thread(target=keep, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = StartsFile(tmp_path, FakeReporter).earlier()
    assert sorted(one.key for one in kept) == [f"key {at}" for at in range(8)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[]", id="a list"),
        pytest.param('{"schema": "other", "starts": []}', id="another schema"),
        pytest.param('{"schema": "ttctl.starts/1", "starts": [1]}', id="numbers"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param(
            '{"schema": "ttctl.starts/1", "starts": [{"key": "a", "first": 0, "seconds": NaN}]}',
            id="no number",
        ),
    ],
)
def test_a_damaged_file_tells_nothing_and_is_replaced(
    file: StartsFile, tmp_path: Path, text: str
) -> None:
    (tmp_path / "starts.json").write_text(text)
    assert file.earlier() == ()
    file.keep(ONE)
    assert file.earlier() == (ONE,)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "starts.json").mkdir()
    with pytest.raises(TtctlError, match="could not be written"):
        StartsFile(tmp_path, FakeReporter).keep(ONE)
