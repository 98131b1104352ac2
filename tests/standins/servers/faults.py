# SPDX-License-Identifier: Apache-2.0
"""Ends a stand-in as real servers end: a fatal line, a kill, memory that runs out.

A test bakes these into an image of its own, so that they need no place in what ttctl renders:
STANDIN_DELAY_S, STANDIN_CRASH, STANDIN_CRASH_AFTER_S, STANDIN_STOP_S, STANDIN_DEAF.
STANDIN_READS: of a longer prompt it reads this many tokens, without a word, as a wrong limit does.
"""

from __future__ import annotations

import os
import threading

from tests.standins.servers.refusals import say

TRACE_REGION = (
    "TT_FATAL: Creating trace buffers of size 56623104B on MeshDevice 0, but only 50000000B is"
    " allocated for trace region"
)
ETHERNET = "TT_THROW: Timed out while waiting for active ethernet core 25-17 on device 0"
KILLED = 137
MOST_BYTES = 8 << 30
"""Where memory has no limit at all, the machine is not to suffer."""


def crash(kind: str) -> None:
    """End this process in one of the ways; an unknown one is a test's mistake and ends it too."""
    say(f"stand-in: told to end as {kind!r}")
    if kind == "trace-region":
        say(TRACE_REGION)
    elif kind == "ethernet":
        say(ETHERNET)
    elif kind == "oom":
        _eat()
    os._exit(KILLED if kind in {"killed", "oom"} else 1)


def armed(environ: dict[str, str]) -> None:
    """Let the end come when it was asked for."""
    if kind := environ.get("STANDIN_CRASH"):
        after_s = float(environ.get("STANDIN_CRASH_AFTER_S", "0"))
        timer = threading.Timer(after_s, crash, [kind])
        timer.daemon = True
        timer.start()


def most_read(words: int) -> int:
    """Return how much of a prompt is read."""
    return min(words, int(os.environ.get("STANDIN_READS", words)))


def _eat() -> None:
    """Touch memory until the kernel ends this process."""
    held = []
    while len(held) << 24 < MOST_BYTES:
        held.append(bytearray(b"x" * (1 << 24)))
