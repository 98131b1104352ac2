# SPDX-License-Identifier: Apache-2.0
"""Is an archive whole, private, the same for the same, and never over another file?"""

from __future__ import annotations

import errno
import tarfile
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.archive import check_name, write_archive
from ttctl.errors import TtctlError, UsageError
from ttctl.model.report import Piece

if TYPE_CHECKING:
    from pathlib import Path

PIECES = (Piece(name="a/b.txt", why="", text="é\n"), Piece(name="c", why="", text=""))


def test_it_holds_what_was_given_and_says_nothing_of_whoever_wrote_it(tmp_path: Path) -> None:
    file = tmp_path / "r.tar.gz"
    size = write_archive(file, PIECES, force=False)
    assert size == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        members = archive.getmembers()
        read = [archive.extractfile(one) for one in members]
        texts = [one.read().decode() for one in read if one]
    assert [one.name for one in members] == ["ttctl-report/a/b.txt", "ttctl-report/c"]
    assert texts == ["é\n", ""]
    assert {(one.mtime, one.uid, one.gid, one.uname, one.mode) for one in members} == {
        (0, 0, 0, "", 0o600)
    }
    assert [one.name for one in tmp_path.iterdir()] == ["r.tar.gz"]


def test_the_same_gives_the_same_bytes_whatever_its_name_is(tmp_path: Path) -> None:
    write_archive(tmp_path / "one", PIECES, force=False)
    write_archive(tmp_path / "two", PIECES, force=False)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_file_is_left_alone_until_it_is_forced(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is there already") as caught:
        check_name(file, force=False)
    assert caught.value.added == "--force"
    with pytest.raises(UsageError, match="is there already"):
        write_archive(file, PIECES, force=False)
    assert file.read_text() == "mine"
    check_name(file, force=True)
    write_archive(file, PIECES, force=True)
    assert tarfile.is_tarfile(file)
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]


def test_a_link_into_nothing_is_another_file_too(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(UsageError, match="is there already"):
        check_name(tmp_path / "link", force=False)


def test_a_file_system_without_second_names_gets_it_whole_too(tmp_path: Path) -> None:
    def no_links(_one: Path, _two: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    file = tmp_path / "r"
    write_archive(file, PIECES, force=False, link=no_links)
    assert tarfile.is_tarfile(file)
    with pytest.raises(UsageError, match="is there already"):
        write_archive(file, PIECES, force=False, link=no_links)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(_one: Path, _two: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(TtctlError, match="could not be written") as caught:
        write_archive(tmp_path / "r", PIECES, force=False, link=full)
    assert caught.value.next_step.startswith("df -h ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "said"), [("none/r", "There is no folder"), ("", "is a folder")])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_name(tmp_path / name, force=True)
