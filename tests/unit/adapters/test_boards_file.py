# SPDX-License-Identifier: Apache-2.0
"""Is it kept which boards were left in disorder, whatever happens while it is written?"""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters.boards_file import BoardsFile
from ttctl.errors import BadFileError
from ttctl.model.lease import Remembered, Spoiled
from ttctl.rules.spoiled import moment

if TYPE_CHECKING:
    from pathlib import Path


def spoiled(board: str) -> Spoiled:
    return Spoiled(board=board, reason="was killed", stack="llama", at="2026-01-31T10:00:00.5Z")


@pytest.fixture
def file(tmp_path: Path) -> BoardsFile:
    return BoardsFile(tmp_path, FakeReporter)


def test_nothing_is_kept_at_first_and_reading_writes_nothing(
    file: BoardsFile, tmp_path: Path
) -> None:
    assert file.read() == Remembered()
    assert not list(tmp_path.iterdir())


def test_what_is_added_is_kept_until_it_is_cleared(file: BoardsFile, tmp_path: Path) -> None:
    file.add([spoiled("0a"), spoiled("0b")])
    assert BoardsFile(tmp_path, FakeReporter).read().spoiled == (spoiled("0a"), spoiled("0b"))
    assert stat.S_IMODE((tmp_path / "boards.json").stat().st_mode) == 0o600
    file.clear(["0A"])
    kept = file.read()
    assert kept.spoiled == (spoiled("0b"),)
    [(name, at)] = kept.cleared
    assert name == "0a"
    assert moment(at) > moment(spoiled("0a").at)
    # A container that is still here ended before: it says nothing new.
    file.add([spoiled("0a")])
    assert file.read() == kept


def test_commands_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    names = [f"{at:02x}" for at in range(8)]
    threads = [
        threading.Thread(target=BoardsFile(tmp_path, FakeReporter).add, args=([spoiled(name)],))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = BoardsFile(tmp_path, FakeReporter).read().spoiled
    assert sorted(one.board for one in kept) == names


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "other"}', '{"schema": "ttctl.boards/1", "spoiled": [1]}']
)
def test_a_damaged_file_is_refused_with_its_path(
    file: BoardsFile, tmp_path: Path, text: str
) -> None:
    (tmp_path / "boards.json").write_text(text)
    with pytest.raises(BadFileError) as caught:
        file.read()
    assert str(tmp_path / "boards.json") in caught.value.message
