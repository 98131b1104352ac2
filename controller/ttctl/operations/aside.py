# SPDX-License-Identifier: Apache-2.0
"""Do one thing in a thread, so that whoever waits for it can look elsewhere meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Aside:
    """One thing that is done in a thread of its own; it never keeps a command from ending."""

    def __init__(self, run: Callable[[], object]) -> None:
        """Begin it."""
        self._run = run
        self._done = threading.Event()
        self._failure: Exception | None = None
        threading.Thread(target=self._begin, name="aside", daemon=True).start()

    def is_done(self, *, within_s: float) -> bool:
        """Return whether it has ended, at most after `within_s` seconds; raise what it raised."""
        if not self._done.wait(within_s):
            return False
        if self._failure is not None:
            raise self._failure
        return True

    def _begin(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self._failure = error
        finally:
            self._done.set()
