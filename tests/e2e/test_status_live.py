# SPDX-License-Identifier: Apache-2.0
"""Does `status --live` show what a real engine does while it is asked?"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.driver import Stack

pytestmark = pytest.mark.docker

QUESTION = {"max_tokens": 24, "prompt": "What is Tenstorrent?"}
LIMIT_S = 120


@contextmanager
def busy(stack: Stack) -> Iterator[None]:
    """Ask one question after another for the length of the block."""
    ended = threading.Event()

    def ask() -> None:
        with stack.openai() as client:
            model = client.models.list().data[0].id
            while not ended.is_set():
                client.completions.create(model=model, **QUESTION)  # type: ignore[call-overload]

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        ended.set()
        asking.join()


def service(frame: dict[str, Any], name: str) -> dict[str, Any]:
    (stack,) = frame["stacks"]
    (found,) = (one for one in stack["services"] if one["service"] == name)
    return dict(found)


def test_a_busy_engines_requests_tokens_and_memory_are_shown(stack: Stack) -> None:
    words = ("status", stack.name, "--live", "--json", "--count", "3", "--interval", "5")
    with busy(stack):
        ran = stack.ttctl.run(*words, limit_s=LIMIT_S)
    frames = [json.loads(line)["data"] for line in ran.out.splitlines()]
    assert len(frames) == 3
    assert service(frames[0], "vllm")["tokens_per_s"] is None
    for name in ("vllm", "gateway"):
        last = service(frames[-1], name)
        assert (last["state"], last["health"]) == ("running", "healthy")
        assert 0 < last["memory_bytes"] < last["memory_limit_bytes"]
        assert max(service(one, name)["requests_per_s"] or 0 for one in frames) > 0
    assert max(service(one, "vllm")["tokens_per_s"] or 0 for one in frames) > 0
    assert frames[-1]["stacks"][0]["state"] == "ready"
    assert {one["state"] for one in frames[-1]["sources"]} <= {"ok", "old"}
    started = {one["service"] for one in frames[-1]["events"] if one["text"] == "started"}
    assert {"gateway", "vllm"} <= started or frames[-1]["stacks"][0]["services"][0][
        "uptime_s"
    ] > 900


def test_a_pipe_gets_a_block_for_each_look_and_no_escape_code(stack: Stack) -> None:
    out = stack.ttctl.run(
        "status", "--live", "--count", "2", "--interval", "0.5", limit_s=LIMIT_S
    ).out
    first, second = out.split("\n\nttctl status")
    assert "\x1b" not in out
    for block in (first, second):
        assert f"{stack.name}  ready  demo-llama on cpu" in block
        assert max(map(len, block.splitlines())) <= 80
