# SPDX-License-Identifier: Apache-2.0
"""Is a generation whole or not there, whatever ends ttctl while it is written?"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.adapters.test_lock_file import LOCK
from tests.unit.fakes import FakeReporter

from ttctl.adapters import generations
from ttctl.adapters.generations import GenerationFolders
from ttctl.adapters.lock_file import lock_text
from ttctl.adapters.store import StateFolder
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.spec import Request
from ttctl.rules.stack import checked_name

REQUEST = Request(
    model="llama",
    max_model_len=1024,
    engine_args=(("seed", "7"),),
    boards=("0",),
    services=("chat",),
    from_settings=("port",),
)
FILES = {
    "ttctl.lock": lock_text(LOCK),
    "compose.yaml": "services:\n",
    "images/vllm/Dockerfile": "FROM x\n",
    "site/token": "a secret\n",
}


@pytest.fixture
def kept(tmp_path: Path) -> GenerationFolders:
    return GenerationFolders(lambda stack: tmp_path / checked_name(stack), root=tmp_path)


def keep(kept: GenerationFolders, port: int = 8000, *, why: str = "up") -> int:
    files = {**FILES, "ttctl.lock": lock_text(replace(LOCK, port=port))}
    return kept.keep("llama", files, request=REQUEST, why=why)


def test_what_is_kept_is_read_again_without_secrets_of_builds(kept: GenerationFolders) -> None:
    assert keep(kept, why="rollback to 2") == 1
    (one,) = kept.kept("llama")
    assert (one.number, one.why, one.lock) == (1, "rollback to 2", LOCK)
    assert one.request == REQUEST
    assert one.request.from_settings == ("port",)
    assert one.at.endswith("Z")
    assert kept.files("llama", 1) == {
        name: text for name, text in FILES.items() if name != "site/token"
    }


def test_the_stacks_are_those_of_which_one_is_whole(
    kept: GenerationFolders, tmp_path: Path
) -> None:
    assert kept.stacks() == ()
    kept.begin("young")
    keep(kept)
    shutil.copytree(tmp_path / "llama", tmp_path / "llama.damaged")
    assert kept.stacks() == ("llama",)
    shutil.rmtree(tmp_path / "llama" / "generations" / "1")
    assert kept.stacks() == ()


def test_files_are_the_users_alone(kept: GenerationFolders, tmp_path: Path) -> None:
    keep(kept)
    folder = tmp_path / "llama" / "generations"
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_numbers_count_up_and_three_are_kept(kept: GenerationFolders) -> None:
    assert [keep(kept, port) for port in range(8000, 8005)] == [1, 2, 3, 4, 5]
    assert [(one.number, one.lock.port) for one in kept.kept("llama")] == [
        (3, 8002),
        (4, 8003),
        (5, 8004),
    ]


def test_a_stack_has_none_before_they_are_kept(kept: GenerationFolders) -> None:
    assert (kept.kept("llama"), kept.is_kept_for("llama")) == ((), False)
    kept.begin("llama")
    assert (kept.kept("llama"), kept.is_kept_for("llama")) == ((), True)


class Kill:
    """Ends ttctl at one call of a function, after which nothing is put in order."""

    def __init__(self, at: int, real: Any) -> None:  # noqa: ANN401
        self._left, self._real = at, real

    def __call__(self, *words: Any, **more: Any) -> Any:  # noqa: ANN401
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return self._real(*words, **more)


@pytest.mark.parametrize(
    ("where", "at", "done"),
    [
        *(pytest.param("write", at, False, id=f"write {at}") for at in range(1, 5)),
        pytest.param("rename", 1, False, id="before it has its name"),
        pytest.param("settle", 1, True, id="once it has its name"),
        pytest.param("rename", 2, True, id="before the oldest goes"),
        pytest.param("rmtree", 2, True, id="while the oldest goes"),
    ],
)
def test_a_kill_at_any_write_leaves_whole_ones_and_the_next_number_is_right(
    kept: GenerationFolders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    at: int,
    *,
    done: bool,
) -> None:
    for port in (8000, 8001, 8002):
        keep(kept, port)
    with monkeypatch.context() as patched:
        if where == "write":
            patched.setattr(generations, "write_atomically", Kill(at, generations.write_atomically))
        elif where == "rename":
            real = Path.rename
            kill = Kill(at, real)

            def rename(path: Path, target: Path) -> object:
                return kill(path, target)

            patched.setattr(Path, "rename", rename)
        elif where == "settle":
            patched.setattr(generations, "_settle", Kill(at, None))
        killed = Kill(at, lambda *_, **__: None) if where == "rmtree" else lambda *_, **__: None
        patched.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            keep(kept, 8003)
    ports = [8001, 8002, 8003] if done else [8000, 8001, 8002]
    assert [one.lock.port for one in kept.kept("llama")] == ports
    with StateFolder(tmp_path).exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        number = keep(kept, 8004)
    assert number == (5 if done else 4)
    assert [one.number for one in kept.kept("llama")] == [number - 2, number - 1, number]
    names = {path.name for path in (tmp_path / "llama" / "generations").iterdir()}
    assert names == {str(one) for one in range(number - 2, number + 1)}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 2}', '{"schema": 1, "at": "", "why": "", "request": {}}']
)
def test_one_that_was_edited_is_refused_with_what_puts_it_aside(
    kept: GenerationFolders, tmp_path: Path, text: str
) -> None:
    keep(kept)
    folder = tmp_path / "llama" / "generations" / "1"
    (folder / "generation.json").write_text(text)
    with pytest.raises(BadFileError) as caught:
        kept.kept("llama")
    assert caught.value.next_step == f"mv {folder} {folder}.damaged"
    folder.rename(f"{folder}.damaged")
    assert kept.kept("llama") == ()


def test_what_a_later_ttctl_keeps_of_a_request_is_passed_over(
    kept: GenerationFolders, tmp_path: Path
) -> None:
    keep(kept)
    about = tmp_path / "llama" / "generations" / "1" / "generation.json"
    value = json.loads(about.read_text())
    value["request"]["later"] = [1]
    about.write_text(json.dumps(value))
    assert kept.kept("llama")[0].request == REQUEST


def test_a_folder_that_cannot_be_written_is_told(kept: GenerationFolders, tmp_path: Path) -> None:
    kept.begin("llama")
    (tmp_path / "llama" / "generations").rmdir()
    (tmp_path / "llama" / "generations").write_text("a file")
    with pytest.raises(TtctlError):
        keep(kept)
