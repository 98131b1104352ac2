# SPDX-License-Identifier: Apache-2.0
"""A reporter that tells other commands, too, what is done while a stack is held."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.adapters.doing import DoingFile
    from ttctl.model.protocols import Reporter


class ToldReporter:
    """Tells whoever watches here, and keeps it for `status --live`."""

    def __init__(self, inner: Reporter, doing: DoingFile) -> None:
        """`inner` is whoever watches here."""
        self._inner = inner
        self._doing = doing

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce one step; its end shows a mark and the seconds."""
        told = redacted(title)
        with self._inner.step(title):
            self._doing.begin(told)
            try:
                yield
            finally:
                self._doing.end(told)

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        """Say how far the step is; parts are told here only."""
        self._inner.progress(done, total, unit, part=part)
        if not part:
            self._doing.count(done, total, unit)

    def status(self, text: str, **facts: float | str) -> None:
        """Say what goes on right now."""
        self._inner.status(text, **facts)
        self._doing.say(redacted(text))

    def note(self, text: str) -> None:
        """Say one line."""
        self._inner.note(text)

    def detail(self, line: str) -> None:
        """Keep a line of a child's output for the log, and show it when asked for more."""
        self._inner.detail(line)
