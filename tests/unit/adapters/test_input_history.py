# SPDX-License-Identifier: Apache-2.0
"""Is what was typed kept: privately, bounded, and by two conversations at once?"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.input_history import KEPT, LONGEST, InputHistory
from ttctl.errors import LockedError, TtctlError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "chat-history"


def test_what_was_typed_comes_back_in_its_order(path: Path) -> None:
    history = InputHistory(path)
    assert history.recent() == ()
    for text in ("one", "two\nlines", 'three "\u00e4"'):
        history.add(text)
    assert InputHistory(path).recent() == ("one", "two\nlines", 'three "\u00e4"')
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_twice_in_a_row_and_nothing_empty_or_endless_is_kept(path: Path) -> None:
    history = InputHistory(path)
    for text in ("one", "one", "", " ", "x" * (LONGEST + 1), "two", "one"):
        history.add(text)
    assert history.recent() == ("one", "two", "one")


def test_the_file_is_cut_when_it_has_grown(path: Path) -> None:
    history = InputHistory(path)
    history.add("first")
    path.write_text("".join(f'"{number}"\n' for number in range(2 * KEPT)))
    history.add("last")
    assert len(path.read_text().splitlines()) == KEPT
    assert history.recent()[-2:] == (str(2 * KEPT - 1), "last")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_is_damaged_is_left_out(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'"one"\n\xff{\n7\n"two"\n"thr')
    assert InputHistory(path).recent() == ("one", "two")


def test_two_conversations_lose_nothing(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; "
        "from ttctl.adapters.input_history import InputHistory; "
        "history = InputHistory(Path(sys.argv[1])); "
        "[history.add(f'{sys.argv[2]} {n}') for n in range(100)]"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, path, one]) for one in "ab"]
    assert [child.wait(60) for child in running] == [0, 0]
    found = InputHistory(path).recent()
    assert sorted(found) == sorted(f"{one} {n}" for one in "ab" for n in range(100))


def test_a_file_that_another_one_holds_is_not_waited_for_long(path: Path) -> None:
    history = InputHistory(path)
    history.add("one")
    with path.with_name("chat-history.flock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LockedError):
            history.add("two")


def test_a_place_that_cannot_be_written_is_a_refusal(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(TtctlError, match="cannot be kept"):
        InputHistory(path).add("one")
    assert InputHistory(path).recent() == ()
