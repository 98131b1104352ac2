# SPDX-License-Identifier: Apache-2.0
"""Are images written whole, with the user's rights, and never over another file?"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from ttctl.adapters.picture_files import PictureFiles
from ttctl.errors import PrivilegeError, TtctlError, UsageError

FILES = PictureFiles()


@pytest.mark.parametrize("replace", [False, True])
def test_an_image_is_written_with_the_rights_of_the_users_own_files(
    tmp_path: Path, *, replace: bool
) -> None:
    before = os.umask(0o027)
    try:
        assert FILES.write(tmp_path / "a.png", b"new", replace=replace)
    finally:
        os.umask(before)
    assert (tmp_path / "a.png").read_bytes() == b"new"
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o640
    assert FILES.taken(tmp_path) == {"a.png"}


def test_what_is_there_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    assert not FILES.write(tmp_path / "a.png", b"new", replace=False)
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert FILES.write(tmp_path / "a.png", b"new", replace=True)
    assert (tmp_path / "a.png").read_bytes() == b"new"
    assert FILES.taken(tmp_path) == {"a.png"}


def test_a_link_that_leads_nowhere_is_a_name_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone")
    assert not FILES.write(tmp_path / "a.png", b"new", replace=False)
    assert FILES.taken(tmp_path) == {"a.png"}


@pytest.mark.parametrize("there", [False, True])
def test_a_file_system_without_second_names_gets_its_image_too(
    tmp_path: Path, *, there: bool
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    files = PictureFiles(refuses)
    if there:
        (tmp_path / "a.png").write_bytes(b"old")
    assert files.write(tmp_path / "a.png", b"new", replace=False) == (not there)
    assert (tmp_path / "a.png").read_bytes() == (b"old" if there else b"new")
    assert FILES.taken(tmp_path) == {"a.png"}


def test_a_folder_that_went_meanwhile_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(TtctlError, match="could not be written") as caught:
        FILES.write(tmp_path / "gone" / "a.png", b"new", replace=False)
    assert "No such file" in caught.value.why


def test_a_folder_that_is_not_there_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for one in (tmp_path / "a b", tmp_path / "file"):
        with pytest.raises(UsageError, match="no folder") as caught:
            FILES.taken(one)
        assert caught.value.next_step.startswith("mkdir -p ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_another_is_refused(tmp_path: Path) -> None:
    for mode in (0o500, 0o000):
        tmp_path.chmod(mode)
        try:
            with pytest.raises(PrivilegeError, match="Nothing can be written"):
                FILES.taken(tmp_path)
        finally:
            tmp_path.chmod(0o700)


def test_what_is_no_file_is_known(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.png").touch()
    found = [FILES.kind(tmp_path / name) for name in (".", "a.png", "pipe", "none")]
    assert found == ["folder", "file", "other", "none"]
    assert FILES.kind(Path(shutil.which("sh") or "/bin/sh")) == "file"
