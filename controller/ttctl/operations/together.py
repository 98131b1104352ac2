# SPDX-License-Identifier: Apache-2.0
"""Do several things at once, in whole lines; the first failure, and Ctrl-C, end all of them."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ttctl.rules.schedule import Job, startable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ttctl.model.clock import Clock
    from ttctl.model.protocols import Reporter

TOLD_EVERY_S = 30.0
"""How often a line says how far a task is."""
LOOK_S = 0.2
END_S = 15.0
"""How long what was told to end may take; then it is left to the end of the program."""


class StoppedError(Exception):
    """Raised inside a task that is to end before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A job, and what does it."""

    title: str
    job: Job
    act: Callable[[Reporter, threading.Event], None]
    """Gets whom to tell, and what is set when it is to end before its time."""


def do_together(tasks: Sequence[Task], *, memory_gb: int, reporter: Reporter, clock: Clock) -> None:
    """Do all tasks, each as soon as what it waits for is done and the memory holds it.

    Raises:
        Exception: What the first failing task raised; the others were ended.
    """
    by_name = {task.job.name: task for task in tasks}
    jobs = [task.job for task in tasks]
    stop, ended = threading.Event(), SimpleQueue[tuple[str, BaseException | None]]()
    teller = _Teller(reporter, stop, clock)
    threads: dict[str, threading.Thread] = {}
    done: set[str] = set()
    try:
        while len(done) < len(tasks):
            running = threads.keys() - done
            for job in startable(jobs, done=done, running=running, memory_gb=memory_gb):
                threads[job.name] = _started(by_name[job.name], teller, ended)
            name, failure = _next(ended)
            if failure is not None:
                raise failure
            done.add(name)
            reporter.progress(len(done), len(tasks), "tasks")
    finally:
        stop.set()
        for thread in threads.values():
            thread.join(timeout=END_S)


def _next(ended: SimpleQueue[tuple[str, BaseException | None]]) -> tuple[str, BaseException | None]:
    # In pieces: a Ctrl-C that another thread was given is seen between two of them.
    while True:
        with suppress(Empty):
            return ended.get(timeout=LOOK_S)


def _started(
    task: Task, teller: _Teller, ended: SimpleQueue[tuple[str, BaseException | None]]
) -> threading.Thread:
    def act() -> None:
        failure: BaseException | None = None
        try:
            with teller.of(task.title) as aside:
                task.act(aside, teller.stop)
        except BaseException as exc:  # noqa: BLE001 - it is raised where all are waited for
            failure = exc
        ended.put((task.job.name, failure))

    thread = threading.Thread(target=act, name=task.title, daemon=True)
    thread.start()
    return thread


class _Teller:
    """One at a time speaks to whoever watches."""

    def __init__(self, reporter: Reporter, stop: threading.Event, clock: Clock) -> None:
        self._reporter = reporter
        self._lock = threading.Lock()
        self.clock = clock
        self.stop = stop

    @contextmanager
    def of(self, title: str) -> Iterator[Reporter]:
        """Yield the reporter of one task; its end is a line with its seconds."""
        started = self.clock.now()
        yield _Aside(self, title)
        self.note(f"{title}: done in {self.clock.now() - started:.1f} s")

    def note(self, text: str) -> None:
        with self._lock:
            self._reporter.note(text)

    def detail(self, line: str) -> None:
        with self._lock:
            self._reporter.detail(line)


class _Aside:
    """The reporter of a task among others: lines with its name, and no step of its own."""

    def __init__(self, teller: _Teller, title: str) -> None:
        self._teller = teller
        self._title = title
        self._told = teller.clock.now()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Keep a step of the task's for the log."""
        self.detail(f"--- {title}")
        yield

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        """Say how far the task is, now and then; not of its parts."""
        self._end_if_told()
        if part:
            return
        now = self._teller.clock.now()
        if now - self._told >= TOLD_EVERY_S:
            self._told = now
            self.note(_amount(done, total, unit))

    def status(self, text: str, **facts: float | str) -> None:  # noqa: ARG002 - for one at a time
        """Keep for the log what goes on: several tasks have no live line of their own."""
        self.detail(text)

    def note(self, text: str) -> None:
        """Say one line, with the task's name."""
        self._end_if_told()
        self._teller.note(f"{self._title}: {text}")

    def detail(self, line: str) -> None:
        """Keep a child's line, with the task's name."""
        self._end_if_told()
        self._teller.detail(f"{self._title}: {line}")

    def _end_if_told(self) -> None:
        # A download asks nobody whether it is to go on; but it tells how far it is.
        if self._teller.stop.is_set():
            raise StoppedError


def _amount(done: float, total: float, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
    return f"{done:.0f} of {total:.0f} {unit}"
