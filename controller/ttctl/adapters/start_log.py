# SPDX-License-Identifier: Apache-2.0
"""Follow the logs of all of a stack's services while it starts, until one says that it will not."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from ttctl.adapters.compose_failure import shortened
from ttctl.adapters.failures import known_failures
from ttctl.errors import TtctlError
from ttctl.rules.fatal import exact, found_in, said_since
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.adapters.docker_engine import DockerEngine
    from ttctl.model.container import ContainerState
    from ttctl.model.failure import Found
    from ttctl.model.protocols import Reporter

POLL_S = 0.3
SETTLE_S = 1.0
"""How long a line that says little may be followed by one that says why."""
SETTLED = 60
"""Lines that are read then."""


class StartLog:
    """What a stack's services print while compose waits for them."""

    def __init__(self, engine: DockerEngine, stack: str, reporter: Reporter) -> None:
        """Nothing is read yet."""
        self._engine, self._stack, self._reporter = engine, stack, reporter
        self._following: dict[str, threading.Thread] = {}
        self._heard: dict[tuple[str, str], int] = {}
        """Lines of each start that were heard: a log that is followed anew begins again."""
        self.fatal: list[str] = []
        """What was seen of it, with its meaning."""
        self.cancel = threading.Event()
        """Set with the first fatal line."""
        self.ended = threading.Event()
        """To be set when nobody waits any more."""

    def watch(self) -> None:
        """Look for running services until the wait is over; each has a follower of its own.

        One that hangs, or never says a word, keeps none of the others from being heard. Each is
        heard from its own start on, by the engine's clock: this machine's may be wrong. Of what
        runs before compose starts anything only what is new is heard: it may be replaced.
        """
        old = {_start_of(one) for one in self._running()}
        while not self.ended.wait(POLL_S) and not self.cancel.is_set():
            for state in self._running():
                self._follow(state, is_old=_start_of(state) in old)

    def _running(self) -> list[ContainerState]:
        try:
            states = self._engine.containers(self._stack)
        except TtctlError:
            return []
        return [one for one in states if one.service != GATEWAY_SERVICE and one.state == "running"]

    def _follow(self, state: ContainerState, *, is_old: bool) -> None:
        before = self._following.get(state.container_id)
        if before is not None and before.is_alive():
            return
        # A follower ends with its container, or with a connection that broke.
        thread = threading.Thread(target=self._hear, args=(state, is_old), daemon=True)
        self._following[state.container_id] = thread
        thread.start()

    def _hear(self, state: ContainerState, is_old: bool) -> None:  # noqa: FBT001 - of a thread
        # Where the engine is gone, whoever waits for the start says so.
        with suppress(TtctlError):
            self._read(state, is_old=is_old)

    def _read(self, state: ContainerState, *, is_old: bool) -> None:
        for line in self._lines(state, is_old=is_old):
            if self.ended.is_set():
                return
            self._reporter.detail(line)
            found = found_in(line, known_failures())
            if found is not None:
                told = self._exact(state, found)
                self.fatal.append(f"{told.cause}: {shortened(told.line)}")
                self.cancel.set()
                return

    def _lines(self, state: ContainerState, *, is_old: bool) -> Iterator[str]:
        """Yield what was not heard yet: all of a start, and what is new of what ran before."""
        if is_old:
            yield from self._engine.follow(state.container_id, since=None, tail=0)
            return
        start = _start_of(state)
        lines = self._engine.follow(state.container_id, since=said_since(state))
        for line in islice(lines, self._heard.get(start, 0), None):
            self._heard[start] = self._heard.get(start, 0) + 1
            yield line

    def _exact(self, state: ContainerState, found: Found) -> Found:
        if not found.failure.vague:
            return found
        self.ended.wait(SETTLE_S)
        try:
            lines = self._engine.log_lines(
                state.container_id, tail=SETTLED, since=said_since(state)
            )
        except TtctlError:
            return found
        return exact(lines, found, known_failures())


def _start_of(state: ContainerState) -> tuple[str, str]:
    return state.container_id, state.started_at
