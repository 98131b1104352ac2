# SPDX-License-Identifier: Apache-2.0
"""Gives a Python program another clock: as many seconds off as the file OTHER_CLOCK says just now.

Its folder goes into PYTHONPATH. The monotonic clock stays: a clock that is set moves it by nothing.
Not libfaketime, whose clock_nanosleep refuses what Python's sleep asks for since 3.11.
"""

import datetime as dt
import os
import time
from pathlib import Path

FILE = Path(os.environ["OTHER_CLOCK"])
TIME, TIME_NS, LOCAL, GREENWICH, TEXT = (
    time.time,
    time.time_ns,
    time.localtime,
    time.gmtime,
    time.strftime,
)
SECOND_NS = 1_000_000_000


def offset() -> int:
    """Return by how many seconds the clock is off."""
    return int(FILE.read_text(encoding="ascii"))


def now() -> float:
    return TIME() + offset()


class OtherDateTime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "OtherDateTime":
        return cls.fromtimestamp(now(), tz)

    @classmethod
    def today(cls) -> "OtherDateTime":
        return cls.now()


class OtherDate(dt.date):
    @classmethod
    def today(cls) -> "OtherDate":
        return cls.fromtimestamp(now())


def otherwise() -> None:
    """Replace what tells the time."""
    time.time = now
    time.time_ns = lambda: TIME_NS() + offset() * SECOND_NS
    time.localtime = lambda seconds=None: LOCAL(now() if seconds is None else seconds)
    time.gmtime = lambda seconds=None: GREENWICH(now() if seconds is None else seconds)
    time.strftime = lambda text, moment=None: TEXT(text, moment or time.localtime())
    dt.datetime = OtherDateTime  # type: ignore[misc]
    dt.date = OtherDate  # type: ignore[misc]


otherwise()
