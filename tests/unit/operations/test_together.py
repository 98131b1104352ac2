# SPDX-License-Identifier: Apache-2.0
"""Do tasks run side by side in readable lines, and end together when one fails?"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import FakeClock, FakeReporter

from ttctl.adapters.clock import MonotonicClock
from ttctl.errors import BuildError
from ttctl.operations.together import Task, do_together
from ttctl.rules.schedule import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.protocols import Reporter

MUCH = 64


def task(
    name: str, act: Callable[[Reporter, threading.Event], None], *after: str, memory_gb: int = 0
) -> Task:
    return Task(title=f"Do {name}", job=Job(name=name, after=after, memory_gb=memory_gb), act=act)


def lasting(seconds: float) -> Callable[[Reporter, threading.Event], None]:
    def act(_: Reporter, stop: threading.Event) -> None:
        stop.wait(seconds)

    return act


def failing(_: Reporter, __: threading.Event) -> None:
    raise BuildError("The image 'x' could not be built.", next_step="ttctl --help")


def endless(reporter: Reporter, _: threading.Event) -> None:
    """Go on for as long as it is listened to, like a download."""
    for done in range(1000):
        reporter.progress(done, 1000, "bytes")
        time.sleep(0.01)


def test_a_download_beside_builds_takes_as_long_as_the_longer_of_them() -> None:
    tasks = [
        task("metal", lasting(0.2), memory_gb=16),
        task("fork", lasting(0.2), "metal", memory_gb=4),
        task("weights", lasting(0.38)),
    ]
    reporter, started = FakeReporter(), time.monotonic()
    do_together(tasks, memory_gb=MUCH, reporter=reporter, clock=MonotonicClock())
    assert 0.4 <= time.monotonic() - started <= 1.1 * 0.4
    assert sorted(note.partition(": done in ")[0] for note in reporter.notes) == [
        "Do fork", "Do metal", "Do weights",
    ]  # fmt: skip
    assert reporter.counts[-1] == (3, 3, "tasks")


def test_what_waits_for_another_starts_when_that_is_done() -> None:
    order: list[str] = []

    def noting(name: str) -> Callable[[Reporter, threading.Event], None]:
        return lambda _, __: order.append(name)

    tasks = [task("b", noting("b"), "a"), task("c", noting("c"), "b"), task("a", noting("a"))]
    do_together(tasks, memory_gb=MUCH, reporter=FakeReporter(), clock=FakeClock())
    assert order == ["a", "b", "c"]


def test_every_line_says_whose_it_is() -> None:
    def telling(reporter: Reporter, _: threading.Event) -> None:
        with reporter.step("Inner"):
            reporter.note("half")
            reporter.detail("a line")

    reporter = FakeReporter()
    do_together([task("a", telling)], memory_gb=MUCH, reporter=reporter, clock=FakeClock())
    assert reporter.steps == []
    assert reporter.lines == ["Do a: --- Inner", "Do a: a line"]
    assert reporter.notes == ["Do a: half", "Do a: done in 0.0 s"]


def test_how_far_a_long_task_is_is_told_now_and_then() -> None:
    clock = FakeClock()

    def slow(reporter: Reporter, _: threading.Event) -> None:
        for done in range(7):
            clock.sleep(10)
            reporter.progress(done * 1e6, 6e6, "bytes")

    reporter = FakeReporter()
    do_together([task("a", slow)], memory_gb=MUCH, reporter=reporter, clock=clock)
    assert reporter.notes[:2] == ["Do a: 2.0 of 6.0 MB", "Do a: 5.0 of 6.0 MB"]


def test_the_first_failure_ends_what_runs_beside_it_and_is_the_one_that_is_told() -> None:
    ended = threading.Event()

    def build(_: Reporter, stop: threading.Event) -> None:
        stop.wait(10)
        ended.set()
        raise BuildError("ended before its time", next_step="ttctl --help")

    def later(reporter: Reporter, stop: threading.Event) -> None:
        time.sleep(0.05)
        failing(reporter, stop)

    never: list[str] = []
    tasks = [
        task("build", build),
        task("weights", endless),
        task("x", later),
        task("child", lambda _, __: never.append("child"), "build"),
    ]
    started = time.monotonic()
    with pytest.raises(BuildError, match="'x' could not be built"):
        do_together(tasks, memory_gb=MUCH, reporter=FakeReporter(), clock=MonotonicClock())
    assert time.monotonic() - started < 2
    assert ended.is_set()
    assert never == []
    assert "Do weights" not in {thread.name for thread in threading.enumerate()}


def test_ctrl_c_ends_all() -> None:
    def press() -> None:
        time.sleep(0.1)
        signal.raise_signal(signal.SIGINT)

    ended = threading.Event()

    def build(_: Reporter, stop: threading.Event) -> None:
        if stop.wait(10):
            ended.set()

    tasks = [task("build", build), task("weights", endless)]
    presser = threading.Thread(target=press)
    presser.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        do_together(tasks, memory_gb=MUCH, reporter=FakeReporter(), clock=MonotonicClock())
    presser.join()
    assert ended.is_set()
    assert time.monotonic() - started < 2
