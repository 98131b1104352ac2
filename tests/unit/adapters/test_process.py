# SPDX-License-Identifier: Apache-2.0
"""Does every child end, with everything that it started, and is its output kept?"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from ttctl.adapters.process import KEPT_LINES, run
from ttctl.errors import ToolMissingError, WaitError


@pytest.fixture(autouse=True)
def _short_graces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ttctl.adapters.process.TERMINATE_S", 0.3)
    monkeypatch.setattr("ttctl.adapters.process.LAST_LINES_S", 0.1)


STUBBORN = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, os.getpid(), flush=True)
time.sleep(60)
"""
"""A child whose own child does not hear SIGTERM."""


def lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except OSError:
        return False


def ended(pids: list[str]) -> bool:
    """Wait a moment for what was killed to be gone."""
    deadline = time.monotonic() + 5
    while any(map(lives, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(map(lives, pids))


def test_the_code_and_both_streams_come_back() -> None:
    lines: list[str] = []
    done = run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=20, on_line=lines.append)
    assert done.returncode == 3
    assert sorted(done.lines) == sorted(lines) == ["err", "out"]


def test_words_are_never_read_by_a_shell() -> None:
    assert run(["printf", "%s", "$HOME; echo x"], timeout_s=20).lines == ("$HOME; echo x",)


def test_only_the_last_lines_of_a_long_output_are_kept() -> None:
    done = run(["seq", "1", "5000"], timeout_s=20)
    assert len(done.lines) == KEPT_LINES
    assert done.tail(2) == "4999\n5000"


def test_bytes_that_are_no_text_are_kept_as_far_as_they_are() -> None:
    assert run(["printf", r"a\377b\r\n"], timeout_s=20).lines == ("a\ufffdb",)


def test_a_program_that_is_not_installed_is_told_by_name() -> None:
    with pytest.raises(ToolMissingError, match="'no-such-program' is not installed"):
        run(["no-such-program"], timeout_s=1)


def test_the_environment_is_exactly_the_one_that_is_given() -> None:
    done = run(["/usr/bin/env"], timeout_s=20, environ={"A": "1"})
    assert done.lines == ("A=1",)


@pytest.mark.parametrize("given", [False, True])
def test_a_child_gets_no_secret_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, *, given: bool
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    monkeypatch.setenv("PLAIN", "1")
    environ = dict(os.environ) if given else None
    lines = run(["/usr/bin/env"], timeout_s=20, environ=environ).lines
    assert "PLAIN=1" in lines
    assert not any("hf_0123456789" in line for line in lines)


def test_a_child_reads_nothing_from_the_terminal() -> None:
    assert run(["cat"], timeout_s=20).lines == ()


def test_a_child_that_takes_too_long_is_ended_with_its_whole_group() -> None:
    pids: list[str] = []
    with pytest.raises(WaitError, match="did not end") as caught:
        run(
            [sys.executable, "-c", STUBBORN],
            # Within it, two interpreters have to start on a busy machine.
            timeout_s=4,
            on_line=lambda line: pids.extend(line.split()),
        )
    assert caught.value.exit_code == 124
    assert "Its limit is" in caught.value.why
    assert len(pids) == 2
    assert ended(pids)


def test_a_cancelled_child_is_ended_with_its_whole_group() -> None:
    pids: list[str] = []
    cancel = threading.Event()

    def line(text: str) -> None:
        pids.extend(text.split())
        cancel.set()

    done = run([sys.executable, "-c", STUBBORN], timeout_s=60, on_line=line, cancel=cancel)
    assert done.returncode != 0
    assert ended(pids)


def test_what_a_child_leaves_behind_does_not_hold_up_its_end() -> None:
    started = time.monotonic()
    done = run(["sh", "-c", "sleep 30 & echo $!"], timeout_s=20)
    assert time.monotonic() - started < 5
    assert done.returncode == 0
    assert ended(list(done.lines))


def test_a_listener_that_fails_ends_the_child_and_is_heard() -> None:
    def full(_: str) -> None:
        raise OSError(28, os.strerror(28))

    started = time.monotonic()
    with pytest.raises(OSError, match="No space left"):
        run(["sh", "-c", "yes | head -c 10000000"], timeout_s=30, on_line=full)
    assert time.monotonic() - started < 10


class Interrupting(threading.Event):
    """Is interrupted as soon as a child has said who it is."""

    def __init__(self, pids: list[str]) -> None:
        super().__init__()
        self._pids = pids

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        if self._pids:
            raise KeyboardInterrupt
        return False


def test_an_interrupt_ends_the_child() -> None:
    pids: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        run(
            ["sh", "-c", "echo $$; sleep 60"],
            timeout_s=60,
            on_line=lambda line: pids.extend(line.split()),
            cancel=Interrupting(pids),
        )
    assert ended(pids)


def test_a_second_interrupt_ends_a_child_that_takes_its_time() -> None:
    pids: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        run(
            # It answers SIGTERM by the second interrupt, and goes on.
            ["sh", "-c", "trap 'kill -INT $PPID' TERM; echo $$; while :; do sleep 0.1; done"],
            timeout_s=60,
            on_line=lambda line: pids.extend(line.split()),
            cancel=Interrupting(pids),
            terminate_s=60,
        )
    assert ended(pids)
