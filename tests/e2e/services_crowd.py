# SPDX-License-Identifier: Apache-2.0
"""Fifty clients at once before two engines of one stack, of which half leave midway."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.e2e.driver import Stack, docker, until

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENTS = 50
"""A half of them for each engine."""
PLACES = 16
"""That wait for `api`, beside the one that is answered."""
SEQUENCES = 8
"""What vLLM computes at the same time at most."""
ROUND_S = 60
GAUGES = {
    "vllm": ("vllm:num_requests_running{", "vllm:num_requests_waiting{"),
    "api": ("ttctl_direct_running ", "ttctl_direct_waiting "),
}
"""Of each engine, what is computed and what waits."""
MIB = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the clients of one engine ask."""

    service: str
    path: str
    whole: Mapping[str, object]
    """Of those who stay."""
    endless: Mapping[str, object]
    """Of those who leave: their answers are far from their end by then."""
    end: bytes
    """What a whole answer has once."""


PROMPT = "What is Tenstorrent?"
ASKED = {"model": "demo-llama", "messages": [{"role": "user", "content": PROMPT}]}
VLLM = Question(
    service="vllm",
    path="/v1/chat/completions",
    whole={**ASKED, "temperature": 0, "max_tokens": 32},
    endless={**ASKED, "max_tokens": 1500, "ignore_eos": True},
    end=b"data: [DONE]",
)
API = Question(
    service="api",
    path="/chat",
    whole={"prompt": PROMPT, "temperature": 0, "max_tokens": 32},
    endless={"prompt": PROMPT, "temperature": 1.5, "max_tokens": 1500},
    end=b"event: end\n",
)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What became of one client."""

    service: str
    status: int
    stayed: bool
    text: bytes
    """As far as it was read."""
    retry_after: str

    @property
    def is_whole(self) -> bool:
        end = {one.service: one.end for one in (VLLM, API)}[self.service]
        return self.status == 200 and self.text.count(end) == 1

    @property
    def is_refused_as_documented(self) -> bool:
        if self.status != 503:
            return False
        error = json.loads(self.text)["error"]
        told = (error["type"], error["code"], error["param"])
        return told == ("server_error", "line_full", None) and int(self.retry_after) >= 1


@dataclass(frozen=True, kw_only=True)
class Round:
    """What became of all."""

    said: tuple[Said, ...]
    seconds: float
    longest: Mapping[tuple[str, str], float]
    """By engine and gauge, the most that was seen."""


def gauges(stack: Stack, service: str) -> dict[str, float]:
    """Return how many requests an engine computes, and how many wait."""
    status, text = stack.ask(f"/{service}/metrics")
    assert status == 200
    return {
        name: sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))
        for name in GAUGES[service]
    }


def is_idle(stack: Stack) -> bool:
    """Return whether no engine computes anything, and nothing waits."""
    return not any(value for service in GAUGES for value in gauges(stack, service).values())


def crowd(stack: Stack) -> Round:
    """Let all ask at once, and wait until the engines are idle again."""
    longest: dict[tuple[str, str], float] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            for service in GAUGES:
                for name, value in gauges(stack, service).items():
                    longest[service, name] = max(value, longest.get((service, name), 0))

    begun = time.monotonic()
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        looking = pool.submit(look)
        try:
            said = tuple(pool.map(lambda number: _client(stack, number), range(CLIENTS)))
        finally:
            over.set()
        looking.result()
    until(lambda: is_idle(stack))
    return Round(said=said, seconds=time.monotonic() - begun, longest=longest)


def _client(stack: Stack, number: int) -> Said:
    question = (VLLM, API)[number % 2]
    stays = number % 4 in {0, 3}
    body = {**(question.whole if stays else question.endless), "stream": True}
    asked = stack.asking(question.path, method="POST", body=json.dumps(body))
    with asked as answer:
        text = answer.read() if stays or answer.status != 200 else answer.readline()
        return Said(
            service=question.service,
            status=answer.status,
            stayed=stays,
            text=text,
            retry_after=answer.headers.get("Retry-After", ""),
        )


def memory_mib(stack: Stack) -> dict[str, float]:
    """Return what each container holds, as `docker stats` says it."""
    by_id = {one["Id"]: name for name, one in stack.inspect().items()}
    said = docker("stats", "--no-stream", "--no-trunc", "--format={{json .}}", *by_id)
    lines = [json.loads(line) for line in said.splitlines()]
    return {by_id[one["ID"]]: _mib(one["MemUsage"].split()[0]) for one in lines}


def _mib(text: str) -> float:
    return float(text[:-3]) * MIB[text[-3:]]
