# SPDX-License-Identifier: Apache-2.0
"""Is a file the old one or the new one, whatever happens?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ttctl.adapters.files import (
    STRAY_PREFIX,
    make_private,
    sweep_abandoned,
    sweep_strays,
    write_atomically,
)
from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 2_000_000


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o444], ids=oct)
def test_a_file_has_exactly_its_mode_whatever_the_umask_says(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file"
    write_atomically(file, "text", mode=mode)
    assert file.stat().st_mode & 0o7777 == mode
    assert file.read_text(encoding="utf-8") == "text"


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a/b/file"
    write_atomically(file, "old", mode=0o444)
    write_atomically(file, "n\u00e9w\n", mode=0o600)
    assert file.read_bytes() == "n\u00e9w\n".encode()
    assert list(file.parent.iterdir()) == [file]


def test_a_reader_of_the_old_file_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "old", mode=0o600)
    with file.open(encoding="utf-8") as reader:
        write_atomically(file, "new", mode=0o600)
        assert reader.read() == "old"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from ttctl.adapters.files import write_atomically
from ttctl.errors import TtctlError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), "x" * 5000, mode=0o600)
except TtctlError as error:
    print(error.message, error.evidence, error.next_step, sep="|")
"""


def test_a_file_that_does_not_fit_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "old", mode=0o600)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, file], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        f"'{file}' could not be written.|What was there before is unchanged.|ls -ld {tmp_path}"
    )
    assert file.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("kind", ["the parent is a file", "the target is a folder"])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder/inner").mkdir(parents=True)
    target = tmp_path / ("file/x" if "parent" in kind else "folder")
    with pytest.raises(TtctlError, match="could not be written"):
        write_atomically(target, "text", mode=0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_text_that_is_no_text_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TtctlError, match="could not be written"):
        write_atomically(tmp_path / "file", "half a \udc80", mode=0o600)
    assert list(tmp_path.iterdir()) == []


WRITER = """
import sys
from pathlib import Path
from ttctl.adapters.files import write_atomically
print(flush=True)
number = 0
while True:
    number += 1
    write_atomically(Path(sys.argv[1]), f"{number % 10}" * int(sys.argv[2]), mode=0o600)
"""


def test_a_kill_at_any_moment_leaves_one_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for round_ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, file, str(SIZE)], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout
            child.stdout.readline()
            time.sleep(0.005 + round_ * 0.007)
            child.send_signal(signal.SIGKILL)
        if file.exists():
            text = file.read_text(encoding="utf-8")
            assert len(text) == SIZE
            assert len(set(text)) == 1
    sweep_strays(tmp_path)
    assert set(tmp_path.iterdir()) <= {file}


HOLDS = """
import os, sys, time
from pathlib import Path
from ttctl.adapters.files import _made

print(_made(Path(sys.argv[1]))[1], flush=True)
time.sleep(60)
"""


def test_of_what_several_write_to_a_sweep_takes_what_nobody_writes_any_more(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        held = Path(writer.stdout.readline().strip())
        (tmp_path / f"{STRAY_PREFIX}left").touch()
        (tmp_path / f"{STRAY_PREFIX}link").symlink_to(tmp_path / "kept")
        (tmp_path / "kept").touch()
        sweep_abandoned(tmp_path)
        assert {*tmp_path.iterdir()} == {
            held, tmp_path / "kept", tmp_path / f"{STRAY_PREFIX}link"
        }  # fmt: skip
        writer.kill()
    sweep_abandoned(tmp_path)
    assert not held.exists()


def test_a_writer_whose_new_file_is_swept_before_it_holds_it_makes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = tempfile.mkstemp

    def swept_at_once(**how: Any) -> tuple[int, str]:  # noqa: ANN401
        handle, name = real(**how)
        made.append(name)
        if len(made) == 1:
            sweep_abandoned(tmp_path)
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", swept_at_once)
    write_atomically(tmp_path / "file", "text", mode=0o600)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "text"
    assert len(made) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_sweep_takes_strays_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in (f"{STRAY_PREFIX}1", f"a/{STRAY_PREFIX}2", "kept", "a/kept"):
        (tmp_path / name).touch()
    half = tmp_path / "a" / f"{STRAY_PREFIX}folder"
    (half / "within").mkdir(parents=True)
    (half / "within/file").touch()
    (tmp_path / f"{STRAY_PREFIX}link").symlink_to(tmp_path / "a")
    sweep_strays(tmp_path)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert found == ["a", "a/kept", "kept"]


def test_a_stray_that_cannot_be_removed_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, *, missing_ok: bool) -> None:
        raise PermissionError(13, f"Permission denied: {path}, {missing_ok}")

    stray = tmp_path / f"{STRAY_PREFIX}1"
    stray.touch()
    monkeypatch.setattr(Path, "unlink", refused)
    sweep_strays(tmp_path)
    assert stray.exists()


def test_a_sweep_of_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    sweep_strays(tmp_path / "gone")


@pytest.mark.usefixtures("_umask")
def test_a_private_folder_is_the_users_alone(tmp_path: Path) -> None:
    make_private(tmp_path / "private")
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700


def test_a_private_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TtctlError, match="could not be made") as caught:
        make_private(tmp_path / "file/private")
    assert str(tmp_path) in caught.value.message
