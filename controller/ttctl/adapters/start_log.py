# SPDX-License-Identifier: Apache-2.0
"""Follow the logs of all of a stack's services while it starts, until one says that it will not."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ttctl.adapters.compose_failure import shortened
from ttctl.adapters.failures import known_failures
from ttctl.errors import TtctlError
from ttctl.rules.fatal import exact, found_in
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
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
        self.fatal: list[str] = []
        """What was seen of it, with its meaning."""
        self.cancel = threading.Event()
        """Set with the first fatal line."""
        self.ended = threading.Event()
        """To be set when nobody waits any more."""

    def watch(self) -> None:
        """Look for running services until the wait is over; each has a follower of its own.

        One that hangs, or never says a word, keeps none of the others from being heard.
        """
        since = int(time.time()) - 1
        while not self.ended.wait(POLL_S) and not self.cancel.is_set():
            try:
                states = self._engine.containers(self._stack)
            except TtctlError:
                continue
            for state in states:
                if state.service != GATEWAY_SERVICE and state.state == "running":
                    self._follow(state, since=since)

    def _follow(self, state: ContainerState, *, since: int) -> None:
        before = self._following.get(state.container_id)
        if before is not None and before.is_alive():
            return
        # A follower ends with its container, or with a connection that broke.
        own = since if before is None else int(time.time()) - 1
        thread = threading.Thread(target=self._hear, args=(state, own), daemon=True)
        self._following[state.container_id] = thread
        thread.start()

    def _hear(self, state: ContainerState, since: int) -> None:
        # Where the engine is gone, whoever waits for the start says so.
        with suppress(TtctlError):
            self._read(state, since)

    def _read(self, state: ContainerState, since: int) -> None:
        for line in self._engine.follow(state.container_id, since=since):
            if self.ended.is_set():
                return
            self._reporter.detail(line)
            found = found_in(line, known_failures())
            if found is not None:
                told = self._exact(state, found)
                self.fatal.append(f"{told.cause}: {shortened(told.line)}")
                self.cancel.set()
                return

    def _exact(self, state: ContainerState, found: Found) -> Found:
        if not found.failure.vague:
            return found
        self.ended.wait(SETTLE_S)
        try:
            lines = self._engine.log_lines(state.container_id, tail=SETTLED)
        except TtctlError:
            return found
        return exact(lines, found, known_failures())
