# SPDX-License-Identifier: Apache-2.0
"""The real vLLM: a killed `ttctl up` and two at once end where one that is left alone does.

Every step, and moments between them, are killed in tests/faults, where a stand-in starts sooner.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import descendants, finish, kill, read_until, until
from tests.e2e.left_behind import forget, left_behind, strays
from tests.e2e.two_at_once import both, creations, made_of

if TYPE_CHECKING:
    from tests.e2e.driver import Stack
    from tests.e2e.left_behind import LeftBehind

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def uninterrupted(stack: Stack) -> LeftBehind:
    forget(stack)
    stack.up()
    return left_behind(stack)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(r"Network \S+_back +Creating", id="while networks are created"),
        pytest.param(r"Container \S+-vllm-1 +Created", id="when the engine is created"),
        pytest.param(r"Container \S+-vllm-1 +Started", id="when the engine is started"),
    ],
)
def test_an_up_after_a_kill_ends_where_an_uninterrupted_one_does(
    stack: Stack, uninterrupted: LeftBehind, moment: str
) -> None:
    forget(stack)
    child = stack.start_up()
    read_until(child, moment)
    below = descendants(child.pid)
    kill(child, signal.SIGKILL)
    assert finish(child).code == -signal.SIGKILL
    until(lambda: not any(Path("/proc", str(pid)).exists() for pid in below), within_s=10)
    stack.up()
    assert stack.serves()
    assert left_behind(stack) == uninterrupted
    assert "nothing was changed" in stack.up().out


def test_two_at_once_make_the_stack_once_and_both_end_well(
    stack: Stack, uninterrupted: LeftBehind
) -> None:
    forget(stack)
    with creations(stack) as made:
        came = both(stack, stack, lock_timeout="600")
        names = made_of(stack, made)
    assert names == [f"ttctl-{stack.name}-{service}-1" for service in ("gateway", "vllm")]
    assert [one.code for one in came] == [0, 0], [one.err for one in came]
    assert sorted("nothing was changed" in one.out for one in came) == [False, True]
    assert stack.serves()
    assert left_behind(stack) == uninterrupted
    assert strays(stack) == []
