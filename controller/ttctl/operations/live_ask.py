# SPDX-License-Identifier: Apache-2.0
"""Ask one source again and again, without ever waiting for it longer than is wanted."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from ttctl.errors import TtctlError
from ttctl.model.live import LiveSource

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
KEPT_S = 15.0
"""How long a value is shown after a source has fallen silent; then it is unknown."""


class Asked(Generic[T]):
    """A source, its last value and when that came.

    Each question has a thread of its own, which never keeps a command from ending. While one has
    no answer, no other is asked: a source that hangs holds one thread.
    """

    def __init__(self, name: str, ask: Callable[[], T], *, now: Callable[[], float]) -> None:
        """Nothing is asked yet; `now` is of a clock that only goes forward."""
        self._name = name
        self._ask = ask
        self._now = now
        self._thread: threading.Thread | None = None
        self._begun = 0.0
        self._value: T | None = None
        self._at: float | None = None
        self._note = ""

    def begin(self) -> None:
        """Ask, unless the last question is still open."""
        if self._thread is None or not self._thread.is_alive():
            self._begun = self._now()
            self._thread = threading.Thread(target=self._answer, daemon=True)
            self._thread.start()

    def settle(self, deadline: float) -> None:
        """Wait for the answer, until `time.monotonic()` says `deadline`."""
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))

    def value(self) -> T | None:
        """Return the last value, None where it is too old or there never was one."""
        return None if self._is_gone() else self._value

    def last(self) -> T | None:
        """Return the last value, however old."""
        return self._value

    def told(self, *, fresh_s: float) -> LiveSource:
        """Say how well it answers; a value is old after `fresh_s`."""
        at = self._at
        age = None if at is None else max(0.0, self._now() - at)
        if self._is_gone():
            return LiveSource(name=self._name, state="unknown", age_s=age, note=self._why())
        if self._note or age is None or age > fresh_s:
            return LiveSource(name=self._name, state="old", age_s=age, note=self._why())
        return LiveSource(name=self._name, state="ok", age_s=age)

    def _is_gone(self) -> bool:
        return self._at is None or self._now() - self._at > KEPT_S

    def _why(self) -> str:
        if self._thread is not None and self._thread.is_alive():
            return f"no answer for {self._now() - self._begun:.0f} s"
        return self._note

    def _answer(self) -> None:
        try:
            value = self._ask()
        except TtctlError as error:
            self._note = " ".join(one for one in (error.message, error.evidence) if one)
        except Exception as error:  # noqa: BLE001 - one source's trouble leaves the others
            self._note = f"{type(error).__name__}: {error}"
        else:
            self._value, self._at, self._note = value, self._now(), ""
