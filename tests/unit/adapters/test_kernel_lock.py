# SPDX-License-Identifier: Apache-2.0
"""Does one command at a time hold a stack, and does a dead one let go?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters.kernel_lock import Refusal, acquire, held, holder_of
from ttctl.errors import LockedError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys, time
from pathlib import Path
from ttctl.adapters.kernel_lock import held
with held(Path(sys.argv[1]), timeout_s=0, reporter=None):
    print(flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_command(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold `lock` in another process, for the length of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        child.stdout.readline()
        try:
            yield child
        finally:
            child.kill()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "llama/stack.flock"


def take(lock: Path, reporter: FakeReporter | None = None, timeout_s: float = 0) -> None:
    with held(lock, timeout_s=timeout_s, reporter=reporter or FakeReporter()):
        pass


def test_a_file_system_without_locks_is_refused_with_what_to_type(tmp_path: Path) -> None:
    # A file that is open only as a place: the kernel refuses to lock it.
    handle = os.open(tmp_path, os.O_PATH)
    try:
        with pytest.raises(TtctlError, match="cannot be locked") as caught:
            acquire(handle, Refusal(message="", why=""), timeout_s=0, reporter=FakeReporter())
    finally:
        os.close(handle)
    assert "no kernel locks" in caught.value.why
    assert "XDG_STATE_HOME" in caught.value.evidence
    assert caught.value.next_step == f"df -T {tmp_path.parent}"


def test_a_held_lock_is_refused_with_75_and_names_its_holder(lock: Path) -> None:
    with another_command(lock) as child:
        with pytest.raises(LockedError) as caught:
            take(lock)
        assert caught.value.exit_code == 75
        assert caught.value.message == "The stack 'llama' is locked by another command."
        assert f"Held by pid {child.pid} ({sys.executable} -c" in caught.value.evidence
        assert "waited 0 s" in caught.value.evidence


def test_a_lock_is_freed_by_the_kill_of_its_holder(lock: Path) -> None:
    with another_command(lock) as child:
        child.kill()
        child.wait()
        take(lock)


def test_a_lock_that_is_let_go_is_taken_within_the_wait(lock: Path) -> None:
    reporter = FakeReporter()
    with another_command(lock) as child:
        threading.Timer(0.15, child.kill).start()
        take(lock, reporter, timeout_s=20)
    assert len(reporter.notes) == 1
    assert reporter.notes[0].startswith(f"waiting up to 20 s for pid {child.pid}")


def test_the_same_process_cannot_take_a_lock_twice(lock: Path) -> None:
    with held(lock, timeout_s=0, reporter=FakeReporter()), pytest.raises(LockedError):
        take(lock)


def test_a_lock_is_let_go_by_an_error(lock: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        held(lock, timeout_s=0, reporter=FakeReporter()),
    ):
        raise ZeroDivisionError
    take(lock)


def test_nothing_is_written_and_the_folder_is_the_users_alone(lock: Path) -> None:
    take(lock)
    assert lock.read_bytes() == b""
    assert lock.stat().st_mode & 0o777 == 0o600
    assert lock.parent.stat().st_mode & 0o777 == 0o700


def test_a_holder_that_the_kernel_does_not_show_is_another_command(tmp_path: Path) -> None:
    handle = os.open(tmp_path / "free", os.O_CREAT | os.O_RDWR)
    try:
        assert holder_of(handle) == "another command"
    finally:
        os.close(handle)


def test_a_lock_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "llama").mkdir()
    (tmp_path / "llama/stack.flock").mkdir()
    with pytest.raises(TtctlError, match="cannot be locked"):
        take(tmp_path / "llama/stack.flock")
