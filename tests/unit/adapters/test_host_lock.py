# SPDX-License-Identifier: Apache-2.0
"""Does one command of any user choose boards at a time, and can nobody misuse the lock's file?"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters.host_lock import guarded, lock_name
from ttctl.errors import LockedError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path("/")
NAME = lock_name(ROOT)
HOLDER = """
import encodings.ascii, os, sys
from pathlib import Path
from ttctl.adapters.host_lock import guarded
class Quiet:
    def note(self, text):
        pass
# All is loaded by now: another user may not reach this Python's files.
os.umask(0o077)
if int(sys.argv[2]):
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
with guarded(Path("/"), timeout_s=20, reporter=Quiet(), folders=[Path(sys.argv[1])]):
    print(os.getuid(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as /run/lock is, which every user reaches."""
    # How many folders lie above depends on how the tests are run.
    for one in (tmp_path, *tmp_path.parents):
        mode = stat.S_IMODE(one.stat().st_mode)
        if not mode & 0o005:
            one.chmod(mode | 0o055)
    found = tmp_path / "lock"
    found.mkdir()
    found.chmod(0o1777)
    return found


@contextmanager
def another(folder: Path, uid: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process, as another user where `uid` is not 0."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder, str(uid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        assert child.stdout.readline()
        try:
            yield child
        finally:
            child.kill()


def take(*folders: Path, timeout_s: float = 0) -> None:
    with guarded(ROOT, timeout_s=timeout_s, reporter=FakeReporter(), folders=folders):
        pass


def test_each_tree_of_devices_has_its_name_whichever_way_it_is_spelt(tmp_path: Path) -> None:
    assert NAME == "ttctl-boards.flock"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    names = {lock_name(tmp_path / one) for one in ("a", "b", "a/../a")}
    assert len(names) == 1
    assert NAME not in names
    assert lock_name(tmp_path) not in names


def test_a_second_command_is_refused_with_75_and_the_holder(folder: Path) -> None:
    with another(folder) as child, pytest.raises(LockedError) as caught:
        take(folder)
    assert caught.value.exit_code == 75
    assert f"pid {child.pid}" in caught.value.evidence
    take(folder)


def test_the_same_process_cannot_take_it_twice_and_an_error_lets_it_go(folder: Path) -> None:
    with (
        pytest.raises(LockedError),
        guarded(ROOT, timeout_s=0, reporter=FakeReporter(), folders=[folder]),
    ):
        take(folder)
    take(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
@pytest.mark.parametrize("first", [0, 65533])
def test_two_users_share_one_lock_whoever_made_its_file(folder: Path, first: int) -> None:
    second = 65534
    with another(folder, first) as child:
        found = (folder / NAME).stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (first, 0o666)
        late = threading.Timer(0.3, child.kill)
        late.start()
        # The other user waits for the first, and then has it.
        with another(folder, second):
            assert child.wait(timeout=20)
            with pytest.raises(LockedError, match="choosing boards"):
                take(folder)
        late.cancel()
    take(folder)
    assert [path.name for path in folder.iterdir()] == [NAME]


@pytest.mark.parametrize("target", ["there", "missing", "elsewhere"])
def test_a_link_in_its_place_is_refused_and_what_it_leads_to_is_untouched(
    folder: Path, tmp_path: Path, target: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o600)
    (folder / NAME).symlink_to(victim if target == "there" else tmp_path / target)
    with pytest.raises(TtctlError) as caught:
        take(folder)
    assert caught.value.why == "It is a link."
    assert caught.value.next_step == f"ls -l {folder / NAME}"
    assert victim.read_text() == "precious"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600
    assert not (tmp_path / "missing").exists()


def test_what_is_no_file_is_refused_and_never_waited_for(folder: Path) -> None:
    os.mkfifo(folder / NAME)
    with pytest.raises(TtctlError, match="cannot be used") as caught:
        take(folder)
    assert caught.value.why == "It is no file."
    (folder / NAME).unlink()
    (folder / NAME).mkdir()
    with pytest.raises(TtctlError, match="cannot be used"):
        take(folder)


def test_a_file_that_was_swept_while_somebody_waited_guards_nothing(folder: Path) -> None:
    with another(folder) as child:

        def sweep() -> None:
            (folder / NAME).unlink()
            child.kill()

        late = threading.Timer(0.3, sweep)
        late.start()
        # What is held in the end is the file that is there then: a third one sees it.
        with (
            guarded(ROOT, timeout_s=20, reporter=FakeReporter(), folders=[folder]),
            pytest.raises(LockedError),
        ):
            take(folder)
        late.join()


def test_a_folder_that_is_not_for_all_users_is_passed_over_for_the_next(
    folder: Path, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)
    link = tmp_path / "link"
    link.symlink_to(folder)
    take(tmp_path / "missing", closed, link, folder)
    assert (folder / NAME).exists()
    assert not list(closed.iterdir())
    with pytest.raises(TtctlError, match="no folder for the lock"):
        take(tmp_path / "missing", closed)
