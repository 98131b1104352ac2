# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of `ttctl up` at any step: the next `up` ends where an uninterrupted one does."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import descendants, finish, kill, read_until, until
from tests.e2e.left_behind import forget, left_behind

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
        pytest.param(r"is a small demonstration model", id="before anything is written"),
        pytest.param(r"\| --- Write the rendered folder", id="while the folder is written"),
        pytest.param(r"^  \+ Write the rendered folder", id="after the folder"),
        pytest.param(r"Network \S+_back +Creating", id="while networks are created"),
        pytest.param(r"Container \S+-vllm-1 +Created", id="when the engine is created"),
        pytest.param(r"Container \S+-vllm-1 +Started", id="when the engine is started"),
        pytest.param(r"^  \+ Start vllm, gateway", id="when all is healthy"),
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
