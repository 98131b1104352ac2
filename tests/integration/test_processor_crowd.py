# SPDX-License-Identifier: Apache-2.0
"""Fifty clients at once of which half leave midway: is nobody lost, and nothing left behind?"""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.standins.processor_services import (
    DIRECT,
    IMAGES,
    SD,
    Started,
    small_pipeline,
    started,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ttctl.model.spec import ModelSpec

pytestmark = pytest.mark.docker

CLIENTS, PLACES = 50, 16
LEAVING = 300
"""Clients of a wave that leave within a long body: kept, they would be 300 MiB of `direct`."""
GROWTH_MIB = 40
"""Between two rounds at most: a round that kept its fifty requests would keep more of images."""
LIMIT_S = 120
ENDS = (b"event: end\n", b"event: image_generation.completed\n")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What each client asks, and how its answers are counted."""

    spec: ModelSpec
    path: str
    body: dict[str, object]
    done: tuple[str, ...]
    """Counters of answers that came to their end."""
    failed: str
    longest: int
    """Bytes of a body at most."""


CHAT = Question(
    spec=DIRECT,
    path="/chat",
    body={"prompt": "What is Tenstorrent?", "temperature": 0, "max_tokens": 16, "stream": True},
    done=('answers_total{outcome="stop"}', 'answers_total{outcome="length"}'),
    failed='answers_total{outcome="failed"}',
    longest=1 << 20,
)
DRAW = Question(
    spec=SD,
    path="/v1/images/generations",
    body={"prompt": "a red circle", "seed": 3, "steps": 4, "stream": True},
    done=("images_total",),
    failed="failures_total",
    longest=1 << 17,
)


@dataclass(frozen=True)
class Said:
    """What became of one client."""

    text: bytes
    """Empty for one that left."""
    refused: int


def client(service: Started, question: Question, number: int) -> Said:
    """Ask until there is a place; of four clients one leaves unheard, and one midway."""
    refused, end = 0, time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        asking = service.begin(question.path, question.body)
        try:
            if number % 4 == 1:
                time.sleep(0.05)
                return Said(b"", refused)
            answer = asking.answer()
            if answer.status == 503:
                check_refusal(answer.read(), answer.headers["retry-after"])
                refused += 1
                time.sleep(0.2)
                continue
            assert answer.status == 200
            if number % 4 == 3:
                answer.readline()
                return Said(b"", refused)
            return Said(answer.read(), refused)
        finally:
            asking.leave()
    pytest.fail(f"client {number} had no place in {LIMIT_S} s")


def check_refusal(text: bytes, retry_after: str) -> None:
    """Hold a refusal against what the docs say of it."""
    error = json.loads(text)["error"]
    assert (error["type"], error["code"], error["param"]) == ("server_error", "line_full", None)
    assert int(retry_after) >= 1


def crowd(service: Started, question: Question) -> tuple[list[Said], int]:
    """Let all ask at once; return what became of each, and how long the line was at most."""
    longest, over = 0, threading.Event()

    def look() -> None:
        nonlocal longest
        while not over.wait(0.1):
            now = service.metrics()
            longest = max(longest, int(now["waiting"] + now["running"]))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            said = list(pool.map(lambda one: client(service, question, one), range(CLIENTS)))
    finally:
        over.set()
        looking.join()
    return said, longest


@pytest.fixture(scope="module", params=[CHAT, DRAW], ids=["direct", "sd"])
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Started, Question]]:
    question: Question = request.param
    llama = IMAGES / "demo-llama" / "model"
    weights = llama if question is CHAT else small_pipeline(tmp_path_factory.mktemp("small"))
    with started(question.spec, weights) as service:
        yield service, question


def is_idle(service: Started) -> bool:
    now = service.metrics()
    return not now["waiting"] and not now["running"]


def test_of_fifty_clients_nobody_is_lost_and_nothing_is_left_behind(
    asked: tuple[Started, Question], record_property: Callable[[str, object], None]
) -> None:
    service, question = asked
    memories = []
    for _ in range(3):
        before = service.metrics()
        said, longest = crowd(service, question)
        until(lambda: is_idle(service), "the line is empty and nothing is computed")
        after = service.metrics()
        memories.append(service.memory_mib())
        stayed = [one for one in said if one.text]
        assert len(stayed) == CLIENTS // 2
        assert all(sum(map(one.text.count, ENDS)) == 1 for one in stayed)
        assert sum(one.refused for one in said) > 0
        assert 1 < longest <= PLACES + 1
        done = sum(after[name] - before[name] for name in question.done)
        assert CLIENTS // 2 <= done <= CLIENTS
        assert after.get(question.failed, 0) == before.get(question.failed, 0)
    assert memories[2] - memories[1] <= GROWTH_MIB
    assert sum(map(service.ask(question.path, question.body)[1].count, ENDS)) == 1
    figures = ", ".join(f"{one:.0f}" for one in memories)
    record_property(f"{question.spec.image} after 50 clients", f"{figures} MiB, line {longest}")


def leave_within_the_body(service: Started, question: Question) -> None:
    """Say that a long body comes, send most of it, and go."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=LIMIT_S) as one:
        line = f"POST {question.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {question.longest}"
        try:
            one.sendall(line.encode() + b"\r\n\r\n" + b" " * (question.longest - 8))
        except (BrokenPipeError, ConnectionResetError):
            return  # refused: too many long ones are read


def test_long_bodies_of_clients_that_leave_midway_leave_the_memory_as_it_was(
    asked: tuple[Started, Question], record_property: Callable[[str, object], None]
) -> None:
    service, question = asked
    memories = []
    for _ in range(3):
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda _: leave_within_the_body(service, question), range(LEAVING)))
        until(lambda: is_idle(service), "the line is empty and nothing is computed")
        memories.append(service.memory_mib())
    assert memories[2] - memories[0] <= GROWTH_MIB
    assert sum(map(service.ask(question.path, question.body)[1].count, ENDS)) == 1
    figures = ", ".join(f"{one:.0f}" for one in memories)
    record_property(f"{question.spec.image} after {LEAVING} long bodies", f"{figures} MiB")


def test_the_log_of_a_crowd_has_a_line_for_each_request_and_no_prompt(
    asked: tuple[Started, Question],
) -> None:
    service, question = asked
    lines = [one for one in service.logged() if one.get("path") == question.path]
    assert len(lines) >= CLIENTS
    assert {one["status"] for one in lines} >= {200, 499, 503}
    assert "circle" not in json.dumps(lines)
    assert "Tenstorrent" not in json.dumps(lines)
