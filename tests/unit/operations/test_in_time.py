# SPDX-License-Identifier: Apache-2.0
"""Does what breaks or hangs leave the others alone?"""

from __future__ import annotations

import threading

from ttctl.errors import EngineError
from ttctl.operations.in_time import in_time


def test_each_ends_in_its_own_way_and_in_its_own_place() -> None:
    hangs = threading.Event()

    def refused() -> str:
        raise EngineError("No.", why="It\nis so.")

    def broken() -> str:
        raise RuntimeError("odd")

    def hung() -> str:
        hangs.wait(5)
        return "late"

    found = in_time([lambda: "one", refused, broken, hung, lambda: "two"], limit_s=0.2)
    hangs.set()
    assert [(one.value, one.failure) for one in found] == [
        ("one", ""),
        (None, "No. It is so."),
        (None, "RuntimeError: odd"),
        (None, "It hangs: it did not end within 0.2 s."),
        ("two", ""),
    ]
