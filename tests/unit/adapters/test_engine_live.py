# SPDX-License-Identifier: Apache-2.0
"""Is what containers take, and what happened to them, told as the engine counts it?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.unit.adapters.programs import Programs
from tests.unit.adapters.test_docker_look import ENDED, ONE, RUNNING, answers, world

from ttctl.adapters.engine_live import engine_seen
from ttctl.errors import EngineError
from ttctl.model.live import EngineSeen, LiveEvent, MemoryUse

if TYPE_CHECKING:
    from pathlib import Path

STATS = f"/containers/{ONE}/stats"
EVENTS = "/events"
MEMORY: dict[str, Any] = {"usage": 900, "limit": 4000, "stats": {"inactive_file": 300}}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    return tmp_path / "asked"


def event(action: str, **words: str) -> str:
    labels = {"dev.ttctl.stack": "llama", "dev.ttctl.service": "vllm", **words}
    actor = {"ID": ONE, "Attributes": labels}
    return json.dumps({"Action": action, "Actor": actor, "time": 7, "timeNano": 7_500_000_000})


def seen(
    programs: Programs, asked: Path, *, memory: object = MEMORY, events: str = ""
) -> EngineSeen:
    found = world(RUNNING, ENDED) | {
        STATS: (200, json.dumps({"memory_stats": memory})),
        EVENTS: (200, events),
    }
    answers(programs, asked, found)
    return engine_seen(dict(os.environ), owner="me", since=100.0, now=200.5)


def test_own_containers_are_told_with_their_memory(programs: Programs, asked: Path) -> None:
    found = seen(programs, asked)
    assert [one.service for one in found.containers] == ["gateway"]
    assert found.memory == (MemoryUse(container_id=ONE, used_bytes=600, limit_bytes=4000),)
    (listing, *_, events) = asked.read_text().splitlines()
    assert listing.startswith("/containers/json")
    query = parse_qs(urlsplit(events).query)
    assert (query["since"], query["until"]) == (["100.000000"], ["200.500000"])
    filters = json.loads(query["filters"][0])
    assert filters["label"] == ["dev.ttctl.stack", "dev.ttctl.owner=me"]
    assert "exec_start" not in filters["event"]
    # `docker stats` would wait for a second one.
    assert any("one-shot=true" in line for line in asked.read_text().splitlines())


@pytest.mark.parametrize(
    ("memory", "used"),
    [
        pytest.param({"usage": 900, "limit": 1, "stats": {"total_inactive_file": 1}}, 899, id="v1"),
        pytest.param({"usage": 9, "limit": 1, "stats": {"inactive_file": 90}}, 9, id="a slip"),
        pytest.param({"usage": 9, "limit": 1}, 9, id="no details"),
    ],
)
def test_memory_is_without_what_would_be_given_back(
    programs: Programs, asked: Path, memory: object, used: int
) -> None:
    assert [one.used_bytes for one in seen(programs, asked, memory=memory).memory] == [used]


@pytest.mark.parametrize("memory", [{}, None, {"usage": None}])
def test_one_that_nobody_counts_has_no_memory(
    programs: Programs, asked: Path, memory: object
) -> None:
    assert seen(programs, asked, memory=memory).memory == ()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (event("start"), "started"),
        (event("die", exitCode="137"), "ended with 137"),
        (event("health_status: unhealthy"), "is unhealthy"),
        (event("kill", signal="15"), "got a signal: 15"),
        (event("oom"), "ran out of memory"),
    ],
)
def test_an_event_is_told_in_our_words(
    programs: Programs, asked: Path, line: str, text: str
) -> None:
    found = seen(programs, asked, events=line + "\n").events
    assert found == (LiveEvent(at=7.5, stack="llama", service="vllm", text=text),)


def test_events_in_another_shape_are_the_engines_error(programs: Programs, asked: Path) -> None:
    with pytest.raises(EngineError, match="not understood"):
        seen(programs, asked, events="[]\n")
