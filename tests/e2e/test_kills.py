# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of `ttctl up` at any step: the next `up` ends where an uninterrupted one does."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.driver import Json, Stack, descendants, finish, kill, read_until, tree, until

pytestmark = pytest.mark.docker


@dataclass(frozen=True, kw_only=True)
class Uninterrupted:
    """What an `up` from nothing leaves behind."""

    made_of: dict[str, tuple[str, str, str]]
    rendered: dict[str, bytes]
    weights: dict[str, str]
    names: list[str]


def home(stack: Stack) -> Path:
    return stack.ttctl.stacks / stack.name


def weights(stack: Stack) -> Path:
    return Path(stack.ttctl.environ["XDG_CACHE_HOME"]) / "ttctl" / "weights"


def forget(stack: Stack) -> None:
    """Remove everything of the stack, so that an `up` has every step to do."""
    stack.remove()
    shutil.rmtree(home(stack), ignore_errors=True)
    shutil.rmtree(weights(stack), ignore_errors=True)


def left_behind(stack: Stack) -> Uninterrupted:
    return Uninterrupted(
        made_of=stack.made_of(),
        rendered=tree(stack.folder),
        weights={
            name: content.hex()
            for name, content in tree(weights(stack)).items()
            if name.endswith(".safetensors")
        },
        names=sorted(
            str(path.relative_to(folder))
            for folder in (home(stack), weights(stack))
            for path in folder.rglob("*")
        ),
    )


@pytest.fixture(scope="module")
def uninterrupted(stack: Stack) -> Uninterrupted:
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
    stack: Stack, uninterrupted: Uninterrupted, moment: str
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
    containers: dict[str, Json] = stack.inspect()
    assert {name: one["State"]["Status"] for name, one in containers.items()} == {
        "vllm": "running",
        "gateway": "running",
    }
    assert "nothing was changed" in stack.up().out
