# SPDX-License-Identifier: Apache-2.0
"""Under load no request is lost, none is answered twice or by halves, and no memory is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.faults.busy import Crowd, busy_door, connections_now, memory_kib, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import Figure, Rounds

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

AT_ONCE = 100
GROWTH_KIB = 4096
"""More than the allocator's own waver, less than a byte kept for each byte that passed."""


def test_of_many_requests_at_once_each_is_answered_whole_and_once_and_no_memory_is_kept(
    gateway_image: str,
    python_image: str,
    tmp_path: Path,
    rounds: Rounds,
    figure: Figure,
) -> None:
    requests = rounds(fast=2_000, whole=10_000)
    first = requests // 5
    with busy_door(gateway_image, python_image, tmp_path) as door:
        crowd = Crowd(door, AT_ONCE)
        begun = time.monotonic()
        crowd.ask(range(first))
        early = memory_kib(door)
        crowd.ask(range(first, requests))
        took = time.monotonic() - begun
        until(lambda: connections_now(door) == (0, 0), "every connection is let go")
        late = memory_kib(door)
        answered = door.side("answered")
    assert crowd.wrong == []
    assert crowd.right == requests
    assert answered == {str(number): 1 for number in range(requests)}
    assert late - early <= GROWTH_KIB, f"{early} KiB after {first}, {late} KiB after {requests}"
    figure("load", "requests, lost or not whole", f"{requests}, {len(crowd.wrong)}")
    figure("load", f"requests a second, {AT_ONCE} at once", f"{requests / took:.0f}")
    figure("load", f"gateway's memory after {first} and {requests}", f"{early} and {late} KiB")


def test_the_count_sees_every_answer_that_was_none(
    gateway_image: str, python_image: str, tmp_path: Path
) -> None:
    with busy_door(gateway_image, python_image, tmp_path) as door:
        door.stop_upstream()
        door.wait_for(503)
        crowd = Crowd(door, 4)
        crowd.ask(range(8))
    assert crowd.right == 0
    assert len(crowd.wrong) == 8
    assert all("503" in one and "engine_not_ready" in one for one in crowd.wrong), crowd.wrong
