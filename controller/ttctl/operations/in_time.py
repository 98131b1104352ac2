# SPDX-License-Identifier: Apache-2.0
"""Do several things at the same time; what breaks or hangs is said, and the others go on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ttctl.errors import TtctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Generic[T]):
    """How one of them ended."""

    value: T | None = None
    failure: str = ""
    """Why there is no value, empty where there is one."""


def in_time(runs: Sequence[Callable[[], T]], *, limit_s: float) -> tuple[Ended[T], ...]:
    """Run each in a thread of its own; one that does not end within the limit is left.

    Args:
        runs: What is to be done.
        limit_s: For all of them together.
    """
    found: dict[int, Ended[T]] = {}

    def run(at: int, one: Callable[[], T]) -> None:
        found[at] = _guarded(one)

    threads = [
        # Not waited for at the end of the program: what hangs must not keep the user.
        threading.Thread(target=run, args=(at, one), daemon=True)
        for at, one in enumerate(runs)
    ]
    deadline = time.monotonic() + limit_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late: Ended[T] = Ended(failure=f"It hangs: it did not end within {limit_s:g} s.")
    return tuple(found.get(at, late) for at in range(len(runs)))


def _guarded(one: Callable[[], T]) -> Ended[T]:
    try:
        return Ended(value=one())
    except TtctlError as error:
        return Ended(failure=said_of(error))
    except Exception as error:  # noqa: BLE001 - one that breaks must not end the others
        return Ended(failure=f"{type(error).__name__}: {error}")


def said_of(error: TtctlError) -> str:
    """Return a refusal as one line."""
    parts = (error.message, error.why, error.evidence)
    return " ".join(" ".join(part.split()) for part in parts if part)
