# SPDX-License-Identifier: Apache-2.0
"""Which of several tasks may start now? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to be done, and what it waits for."""

    name: str
    after: tuple[str, ...] = ()
    """Names of jobs that have to be done before; unknown ones are done already."""
    memory_gb: int = 0
    """Memory that it takes, 10^9 bytes; 0 for a download."""


def startable(
    jobs: Sequence[Job], *, done: AbstractSet[str], running: AbstractSet[str], memory_gb: int
) -> tuple[Job, ...]:
    """Return the jobs that may start now, in their order.

    A job that takes more than the whole machine has runs when no other one takes memory.
    """
    names = {job.name for job in jobs}
    taken = sum(job.memory_gb for job in jobs if job.name in running)
    found: list[Job] = []
    for job in jobs:
        waits = (names - done) & set(job.after)
        if job.name in done or job.name in running or waits:
            continue
        if job.memory_gb and taken and taken + job.memory_gb > memory_gb:
            continue
        taken += job.memory_gb
        found.append(job)
    return tuple(found)
