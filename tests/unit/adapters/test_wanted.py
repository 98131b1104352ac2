# SPDX-License-Identifier: Apache-2.0
"""Is it kept which stacks are wanted, in files that nothing half writes?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.wanted import WantedFiles
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_stack_is_wanted_until_it_is_ended(tmp_path: Path) -> None:
    wanted = WantedFiles(tmp_path / "stacks")
    assert wanted.names() == ()
    wanted.want("second")
    wanted.want("llama")
    assert wanted.names() == ("llama", "second")
    wanted.end("second")
    wanted.end("second")
    assert (wanted.names(), wanted.is_wanted("second")) == (("llama",), False)


def test_its_file_is_the_users_alone_and_stays_as_it_was_first_written(tmp_path: Path) -> None:
    wanted = WantedFiles(tmp_path)
    wanted.want("llama")
    file = tmp_path / "llama" / "wanted"
    before = file.stat()
    wanted.want("llama")
    assert (before.st_mode & 0o777, file.stat().st_ino) == (0o600, before.st_ino)
    assert [one.name for one in file.parent.iterdir()] == ["wanted"]


def test_what_a_kill_left_half_written_is_wanted_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "llama").mkdir()
    (tmp_path / "llama" / ".ttctl-abc").write_text("up")
    assert WantedFiles(tmp_path).names() == ()


def test_a_stack_that_would_come_back_though_it_was_ended_is_said(tmp_path: Path) -> None:
    wanted = WantedFiles(tmp_path)
    (tmp_path / "llama" / "wanted").mkdir(parents=True)
    with pytest.raises(TtctlError, match="would come back at the next boot") as caught:
        wanted.end("llama")
    assert str(tmp_path / "llama" / "wanted") in caught.value.evidence
