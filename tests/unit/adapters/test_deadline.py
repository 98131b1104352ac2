# SPDX-License-Identifier: Apache-2.0
"""Is what goes on for ever ended, and is it known at once that it was?"""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from ttctl.adapters.deadline import Deadline, deadline


def test_work_that_goes_on_is_ended_and_the_limit_is_said_to_have_passed() -> None:
    ended = threading.Event()
    with deadline(0.01, ended.set) as limit:
        assert ended.wait(30)
        assert limit.passed


def test_it_is_known_before_the_work_is_ended_by_it() -> None:
    known: list[bool] = []
    limit = Deadline(lambda: known.append(limit.passed))
    assert not limit.passed
    limit.meet()
    assert known == [True]


def timers() -> list[threading.Timer]:
    return [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


@pytest.mark.parametrize("breaks", [False, True])
def test_work_that_is_left_in_time_is_not_ended(*, breaks: bool) -> None:
    ended = threading.Event()
    before = timers()
    with suppress(ValueError), deadline(3600, ended.set) as limit:
        (timer,) = (one for one in timers() if one not in before)
        if breaks:
            raise ValueError
    timer.join(30)
    assert not timer.is_alive()
    assert not limit.passed
    assert not ended.is_set()
