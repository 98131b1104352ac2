# SPDX-License-Identifier: Apache-2.0
"""Say what an engine does while it starts: its phase, its caches, the time."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError
from ttctl.model.starts import Begun, Started
from ttctl.rules.start_phase import (
    ANSWER,
    PHASES,
    budget_text,
    heard,
    look_text,
    phase_now,
    said_of,
    silence_text,
)
from ttctl.rules.usual_start import NOT_SEEN, alike, usual_of, usual_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World

TOLD_EVERY_S = 15.0
"""A calm pace: a start takes many minutes, and each look reads the sizes of all cached files."""
END_S = 5.0
"""How long a look that goes on may keep the end of the wait waiting."""
TENSORS = frozenset({"tt_metal_cache", "dit"})


class StartWatch:
    """Hears what a reporter is told while a stack starts, and tells more itself."""

    def __init__(
        self, world: World, cache: str, *, limit_s: float, key: str = "", usual: str = ""
    ) -> None:
        """Look at the cache as earlier starts left it, and say what to expect.

        Args:
            world: Everything outside.
            cache: Name of the engine's cache; empty where it has none, as on the processor.
            limit_s: Seconds until the wait ends.
            key: What earlier starts have in common with this one; empty for none.
            usual: What such starts took here, where there is no key.
        """
        self._world, self._cache, self._limit_s = world, cache, limit_s
        self._reporter = world.reporter
        self._phase = PHASES[0].name
        self._began = self._spoke = self._looked = world.clock.now()
        self._sizes = self._measured()
        self._had_tensors = any(self._sizes.get(name) for name in TENSORS)
        cached = sum(self._sizes.values())
        self.begun = Begun(key=key, first=not cached, at=self._began)
        earlier = world.starts.earlier() if key else ()
        self._usual = usual or usual_text(alike(earlier, key, first=not cached))
        self._heard: tuple[int, str] = (0, "")
        if cache:
            self._reporter.note(budget_text(limit_s=limit_s, cache_bytes=cached, usual=self._usual))

    def step(self, title: str) -> AbstractContextManager[None]:
        """Pass it on."""
        return self._reporter.step(title)

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        """Pass it on."""
        self._reporter.progress(done, total, unit, part=part)

    def status(self, text: str, **facts: float | str) -> None:
        """Pass it on."""
        self._reporter.status(text, **facts)

    def note(self, text: str) -> None:
        """Pass it on."""
        self._reporter.note(text)

    def detail(self, line: str) -> None:
        """Pass a line of compose or of the engine on, and learn from it how far the start is."""
        self._phase, self._spoke = heard(self._phase, line), self._world.clock.now()
        self._reporter.detail(line)

    def hear(self, lines: Sequence[str], *, is_up: bool) -> None:
        """Learn from the engine's whole log, for a start whose lines nobody passes on."""
        seen = (len(lines), lines[-1] if lines else "")
        if seen != self._heard:
            self._heard, self._spoke = seen, self._world.clock.now()
        for line in () if is_up else lines:
            self._phase = heard(self._phase, line)
        if is_up:
            self._phase = ANSWER

    def look(self) -> None:
        """Say once how far the start is."""
        now, sizes = self._world.clock.now(), self._measured()
        grown = {name: size - self._sizes.get(name, 0) for name, size in sizes.items()}
        growth = sum(grown.values())
        rate = max(0.0, growth / max(now - self._looked, 1.0))
        phase = phase_now(self._phase, grown)
        said = said_of(phase, had_tensors=self._had_tensors, grew=growth > 0)
        line = look_text(
            said,
            cache_bytes=sum(sizes.values()),
            rate=rate,
            gone_s=now - self._began,
            limit_s=self._limit_s,
            usual=self._usual,
        )
        silent = silence_text(phase, now - self._spoke)
        # Else it stands in the line already.
        unknown = NOT_SEEN if silent and not self._usual else ""
        self._reporter.status(
            "; ".join(filter(None, (line, silent, unknown))),
            phase=phase.name,
            seconds=round(now - self._began, 1),
            limit_s=self._limit_s,
            cache_bytes=sum(sizes.values()),
            bytes_per_s=round(rate, 1),
        )
        self._looked, self._sizes = now, sizes

    def _measured(self) -> dict[str, int]:
        caches = self._world.engine_files.caches(self._cache) if self._cache else ()
        return {name: size for cache in caches for name, size in cache.parts}


@contextmanager
def watched(world: World, cache: str, *, limit_s: float, key: str = "") -> Iterator[StartWatch]:
    """Yield the reporter of a start; until the block is left, a thread says how far it is.

    `cache` is the engine's, empty for none; `key` what earlier starts have in common with this one.
    """
    watch = StartWatch(world, cache, limit_s=limit_s, key=key)
    with _telling(watch):
        yield watch


@contextmanager
def joined(world: World, lock: Lock, *, limit_s: float) -> Iterator[StartWatch]:
    """Yield who is to hear the log of a start that is under way, and says how far it is."""
    usual = usual_text(usual_of(world.starts.earlier(), lock.model, lock.device))
    watch = StartWatch(world, "", limit_s=limit_s, usual=usual)
    with _telling(watch):
        yield watch


@contextmanager
def _telling(watch: StartWatch) -> Iterator[None]:
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(TOLD_EVERY_S):
            # A look that fails is no reason to end a start.
            with suppress(TtctlError, OSError):
                watch.look()

    # It never keeps a command from ending.
    thread = threading.Thread(target=tell, name="start watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=END_S)


def remember(world: World, begun: Begun) -> None:
    """Keep how long a start took whose engine answers now; where it cannot be kept, it is not."""
    seconds = world.clock.now() - begun.at
    with suppress(TtctlError):
        world.starts.keep(Started(key=begun.key, first=begun.first, seconds=seconds))
