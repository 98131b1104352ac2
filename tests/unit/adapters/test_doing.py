# SPDX-License-Identifier: Apache-2.0
"""Is what a command does readable while it does it, and at no other time?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeReporter

from ttctl.adapters import doing
from ttctl.adapters.doing import NAME, DoingFile, doing_in
from ttctl.adapters.kernel_lock import holders
from ttctl.adapters.store import StateFolder
from ttctl.cli.told_reporter import ToldReporter

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys
from pathlib import Path
from ttctl.adapters.doing import DoingFile
from ttctl.adapters.store import StateFolder
told = DoingFile()
with StateFolder(Path(sys.argv[1]), told).exclusive("llama", timeout_s=0, reporter=None):
    told.begin("Build vllm")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a second to pass."""
    monkeypatch.setattr(doing, "EVERY_S", 0.0)


@pytest.fixture
def told() -> DoingFile:
    return DoingFile()


@pytest.fixture
def store(tmp_path: Path, told: DoingFile) -> StateFolder:
    return StateFolder(tmp_path / "stacks", told)


def test_a_step_and_how_far_it_is_are_told_while_the_stack_is_held(
    store: StateFolder, told: DoingFile
) -> None:
    home, inner = store.home("llama"), FakeReporter()
    reporter = ToldReporter(inner, told)
    with store.exclusive("llama", timeout_s=0, reporter=reporter):
        assert doing_in(home) is None
        with reporter.step("Build vllm from https://me:secret@example.org/x"):
            reporter.progress(3, 12, "steps")
            reporter.progress(1, 2, "bytes", part="one file")
            reporter.status("compiling")
            found = doing_in(home)
            assert found is not None
            assert "secret" not in found.title
            assert (found.stack, found.pid) == ("llama", os.getpid())
            assert (found.done, found.total, found.unit) == (3, 12, "steps")
            assert found.text == "compiling"
            with reporter.step("Check it"):
                within = doing_in(home)
                assert within is not None
                assert (within.title, within.total) == ("Check it", 0)
        reporter.note("between two steps")
        assert doing_in(home) is None
    assert not (home / NAME).exists()
    assert inner.steps == ["Build vllm from https://me:secret@example.org/x", "Check it"]
    assert (inner.notes, inner.parts) == (["between two steps"], [("one file", 1, 2)])


def test_a_step_that_began_before_the_stack_was_held_is_told(
    store: StateFolder, told: DoingFile
) -> None:
    told.begin("Look")
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        found = doing_in(store.home("llama"))
        assert found is not None
        assert found.title == "Look"


def test_a_file_that_a_kill_left_is_nobodys_work(tmp_path: Path) -> None:
    root = tmp_path / "stacks"
    subprocess.run([sys.executable, "-c", KILLED, str(root)], check=False, timeout=60)
    home = root / "llama"
    assert json.loads((home / NAME).read_text())["title"] == "Build vllm"
    assert doing_in(home) is None
    # Nor is it that of whoever holds the stack next.
    with StateFolder(root).exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        assert holders(home / "stack.flock") == {os.getpid()}
        assert doing_in(home) is None


def test_it_is_written_once_a_second_at_most_and_the_last_is_not_lost(
    store: StateFolder, told: DoingFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doing, "EVERY_S", 0.2)
    written: list[str] = []
    whole = doing.write_atomically

    def write(path: Path, text: str, *, mode: int) -> None:
        written.append(text)
        whole(path, text, mode=mode)

    monkeypatch.setattr(doing, "write_atomically", write)
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        told.begin("Fetch")
        for done in range(500):
            told.count(done, 500, "bytes")
        assert len(written) <= 2
        timer = told._due  # noqa: SLF001 - what is waited for
        if timer is not None:
            timer.join(10)
        assert json.loads(written[-1])["done"] == 499


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[" * 5000, id="deep"),
        pytest.param("[]", id="no object"),
        pytest.param('{"schema": "ttctl.doing/2"}', id="of another version"),
        pytest.param('{"schema": "ttctl.doing/1", "pid": PID}', id="without a title"),
        pytest.param(
            '{"schema": "ttctl.doing/1", "pid": PID, "title": "x", "began": NaN}', id="no time"
        ),
    ],
)
def test_a_damaged_file_tells_nothing(store: StateFolder, text: str) -> None:
    home = store.home("llama")
    with store.exclusive("llama", timeout_s=0, reporter=FakeReporter()):
        (home / NAME).write_text(text.replace("PID", str(os.getpid())))
        assert doing_in(home) is None
