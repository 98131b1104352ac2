# SPDX-License-Identifier: Apache-2.0
"""Does what may run beside another start at once, and does the memory hold what runs?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.rules.schedule import Job, startable

METAL = Job(name="tt-metal", memory_gb=16)
FORK = Job(name="vllm-fork", after=("tt-metal",), memory_gb=4)
GATEWAY = Job(name="gateway", memory_gb=2)
OTHER = Job(name="other-metal", memory_gb=16)
WEIGHTS = Job(name="weights")
ALL = (METAL, FORK, GATEWAY, OTHER, WEIGHTS)


@pytest.mark.parametrize(
    ("done", "running", "memory_gb", "expected"),
    [
        pytest.param(set(), set(), 64, "tt-metal gateway other-metal weights", id="room for all"),
        pytest.param(set(), set(), 18, "tt-metal gateway weights", id="room for one of two"),
        pytest.param(set(), set(), 8, "tt-metal weights", id="too little: one at a time"),
        pytest.param(set(), {"tt-metal"}, 8, "weights", id="a download takes no memory"),
        pytest.param({"tt-metal"}, {"gateway"}, 8, "vllm-fork weights", id="its parent is done"),
        pytest.param({job.name for job in ALL}, set(), 8, "", id="all done"),
    ],
)
def test_what_may_start_starts(
    done: set[str], running: set[str], memory_gb: int, expected: str
) -> None:
    found = startable(ALL, done=done, running=running, memory_gb=memory_gb)
    assert [job.name for job in found] == expected.split()


def test_what_is_no_job_here_was_done_before() -> None:
    assert startable([FORK], done=set(), running=set(), memory_gb=8) == (FORK,)


def makespan(durations: dict[Job, int], memory_gb: int) -> int:
    """Go through the jobs as they would run, and return when the last one ends."""
    now, ends, done = 0, dict[str, int](), set[str]()
    jobs = tuple(durations)
    while len(done) < len(jobs):
        running = ends.keys() - done
        for job in startable(jobs, done=done, running=running, memory_gb=memory_gb):
            ends[job.name] = now + durations[job]
        running = ends.keys() - done
        assert running, "nothing runs, and not all is done"
        taken = [job.memory_gb for job in jobs if job.name in running and job.memory_gb]
        assert sum(taken) <= memory_gb or len(taken) == 1
        now = min(ends[name] for name in running)
        done |= {name for name in running if ends[name] == now}
    return now


@given(
    chain=st.lists(st.integers(1, 1000), min_size=1, max_size=5),
    download=st.integers(1, 5000),
    memory_gb=st.integers(1, 64),
)
def test_weights_beside_a_chain_of_builds_take_no_longer_than_the_longer(
    chain: list[int], download: int, memory_gb: int
) -> None:
    builds = {
        Job(name=f"image {place}", after=(f"image {place - 1}",), memory_gb=16): seconds
        for place, seconds in enumerate(chain)
    }
    total = makespan({**builds, WEIGHTS: download}, memory_gb)
    assert total <= 1.1 * max(sum(chain), download)


@given(
    jobs=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), min_size=1, max_size=7),
    memory_gb=st.integers(0, 64),
)
def test_every_order_comes_to_its_end_within_the_memory(
    jobs: list[tuple[int, int]], memory_gb: int
) -> None:
    made = {
        Job(name=str(place), after=(str(after),) if after < place else (), memory_gb=memory): 1
        for place, (memory, after) in enumerate(jobs)
    }
    assert makespan(made, memory_gb) <= len(jobs)
