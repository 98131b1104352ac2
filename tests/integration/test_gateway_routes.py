# SPDX-License-Identifier: Apache-2.0
"""One gateway before several engines sends each request to the one that is meant."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import openai
import pytest
from tests.integration.gateway_upstream.door import (
    AUTHORIZED,
    BODY_LIMIT,
    KEY,
    ROOT,
    Door,
    door_with,
)

from ttctl.adapters.templates import ShippedRecipes
from ttctl.rules.gateway_routes import BODY_BYTES, MEMORY_MIB, Behind, several_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

OPENAI = ("/v1/completions", "/v1/chat/completions", "/metrics")
ENGINES = (
    Behind(name="vllm", port=8000, paths=OPENAI, models=("acme/llama", "llama")),
    Behind(name="other", port=8000, paths=OPENAI, models=("qwen",)),
    Behind(name="sd", port=8000, paths=("/v1/images/generations",), models=("sdxl",)),
)
CHAT = "/v1/chat/completions"
T = TypeVar("T")


class Doors:
    """One gateway, and a side channel to each engine behind it."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.behind: dict[str, Door] = {}

    def start(self, name: str) -> None:
        upstream = self.door.new_upstream(name).start()
        self.behind[name] = replace(self.door, upstream=upstream)

    def reached(self) -> list[tuple[str, str]]:
        """Return who was reached, at which path, and forget it."""
        found = [(name, one["path"]) for name, door in self.behind.items() for one in door.seen()]
        for door in self.behind.values():
            door.side("forget")
        return found

    def stop(self) -> None:
        for door in self.behind.values():
            door.stop_upstream()


@pytest.fixture(scope="module")
def started(
    gateway_image: str, python_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Doors]:
    gateway = ShippedRecipes(ROOT).defaults("gateway")
    values = several_values(ENGINES, gateway=gateway, max_body_bytes=BODY_LIMIT)
    folder = tmp_path_factory.mktemp("gateway")
    with door_with(gateway_image, python_image, folder, values) as door:
        found = Doors(door)
        assert door.ask("/health", key=None).status == 503
        for one in ENGINES:
            found.start(one.name)
        door.wait_for(200)
        yield found
        found.stop()


@pytest.fixture
def doors(started: Doors) -> Doors:
    for door in started.behind.values():
        door.side("health/200")
    started.door.wait_for(200)
    started.reached()
    return started


@pytest.mark.parametrize(
    ("model", "name"), [("llama", "vllm"), ("acme/llama", "vllm"), ("qwen", "other")]
)
def test_the_model_of_a_body_says_who_is_meant(doors: Doors, model: str, name: str) -> None:
    assert doors.door.ask(CHAT, {"messages": [], "model": model}).status == 200
    assert doors.reached() == [(name, CHAT)]


def test_a_prefix_says_who_is_meant_whatever_the_model(doors: Doors) -> None:
    for name in ("vllm", "other"):
        assert doors.door.ask(f"/{name}{CHAT}", {"model": "anything"}).status == 200
        assert doors.reached() == [(name, CHAT)]
        assert doors.door.ask(f"/{name}/v1/models").status == 200
        assert doors.reached() == [(name, "/v1/models")]


def test_a_path_that_one_engine_has_needs_no_model(doors: Doors) -> None:
    assert doors.door.ask("/v1/images/generations", {"prompt": "a circle"}).status == 200
    assert doors.reached() == [("sd", "/v1/images/generations")]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "nobody"}',
        b'{"messages": []}',
        b"no json",
        b"",
        b'["llama"]',
        b'{"deep": {"model": "llama"}}',
        b'{"model": ["llama"]}',
    ],
)
def test_a_model_that_nobody_serves_is_a_404_that_reaches_nobody(doors: Doors, body: bytes) -> None:
    answer = doors.door.ask(CHAT, body)
    assert answer.status == 404
    assert answer.error["code"] == "model_not_found"
    assert "/vllm, /other, /sd before the path" in answer.error["message"]
    assert doors.reached() == []


def test_the_openai_client_finds_each_model_and_the_error(doors: Doors) -> None:
    with doors.door.openai() as client:
        assert [one.id for one in client.models.list()] == ["acme/llama", "llama", "qwen", "sdxl"]
        client.chat.completions.create(model="qwen", messages=[{"role": "user", "content": "x"}])
        with pytest.raises(openai.NotFoundError) as refused:
            client.chat.completions.create(model="x", messages=[])
    assert refused.value.code == "model_not_found"
    assert doors.reached() == [("other", CHAT)]


def test_a_list_and_one_model_of_it_have_each_of_openais_fields(doors: Doors) -> None:
    with doors.door.openai() as client:
        for one in client.models.list():
            assert one.object == "model"
            assert 1_500_000_000 < one.created <= time.time()
            assert client.models.retrieve(one.id) == one
        with pytest.raises(openai.NotFoundError) as refused:
            client.models.retrieve("nobody")
    assert refused.value.code == "model_not_found"
    assert doors.reached() == []


@pytest.mark.parametrize(
    ("path", "status"),
    [("/vllm/v1/models/acme/llama", 200), ("/vllm/v1/models/acme%2Fllama", 200),
     ("/v1/models/acme/llama", 200), ("/sd/v1/models/sdxl", 200), ("/sd/v1/models/llama", 404)],
)  # fmt: skip
def test_one_model_is_found_by_its_name_behind_a_prefix_too(
    doors: Doors, path: str, status: int
) -> None:
    answer = doors.door.ask(path)
    assert answer.status == status
    assert status == 200 or answer.error["code"] == "model_not_found"
    assert doors.reached() == []


def test_one_model_of_an_engine_that_is_not_ready_is_a_503(doors: Doors) -> None:
    doors.behind["other"].side("health/503")
    doors.door.wait_for(503)
    assert doors.door.ask("/v1/models/qwen").status == 503
    assert doors.door.ask("/v1/models/llama").status == 200


def test_a_path_of_several_engines_is_answered_with_where_it_is(doors: Doors) -> None:
    answer = doors.door.ask("/metrics")
    assert answer.status == 404
    assert answer.error["code"] == "engine_not_named"
    assert answer.error["param"] is None
    assert "/vllm/metrics, /other/metrics." in answer.error["message"]
    assert doors.reached() == []


def test_only_what_is_ready_is_listed_and_health_names_what_is_not(doors: Doors) -> None:
    doors.behind["other"].side("health/503")
    doors.door.wait_for(503)
    listed = json.loads(doors.door.ask("/v1/models").body)
    assert [one["id"] for one in listed["data"]] == ["acme/llama", "llama", "sdxl"]
    health = doors.door.ask("/health", key=None)
    assert "other is not ready" in health.error["message"]
    assert doors.door.ask("/vllm/health", key=None).status == 200
    assert doors.door.ask(CHAT, {"model": "llama"}).status == 200
    assert doors.door.ask(CHAT, {"model": "qwen"}).status == 503


def padded(model: str, size: int) -> bytes:
    """Return a body of so many bytes whose model stands at its end."""
    text = json.dumps({"prompt": "", "model": model})
    return text.replace('""', f'"{"x" * (size - len(text))}"').encode()


def test_a_body_that_fits_is_read_to_its_end(doors: Doors) -> None:
    assert doors.door.ask(CHAT, padded("qwen", BODY_BYTES)).status == 200
    assert doors.reached() == [("other", CHAT)]


@pytest.mark.parametrize("size", [2 * BODY_BYTES, 1_000_000])
def test_a_larger_body_is_a_413_that_names_the_prefixes_which_take_it(
    doors: Doors, size: int
) -> None:
    body = padded("qwen", size)
    answer = doors.door.ask(CHAT, body)
    assert answer.status == 413
    assert "/vllm, /other, /sd" in answer.error["message"]
    assert doors.reached() == []
    assert doors.door.ask(f"/other{CHAT}", body).status == 200
    assert doors.reached() == [("other", CHAT)]


async def unfinished(port: int, count: int, then: Callable[[], T]) -> T:
    """Send so many large bodies but for their last byte, and say what is seen meanwhile."""
    fields = ("Host: x", AUTHORIZED, f"Content-Length: {BODY_BYTES}", "", "")
    head = "\r\n".join((f"POST {CHAT} HTTP/1.1", *fields))
    body = padded("qwen", BODY_BYTES)[:-1]
    writers = []
    for _ in range(count):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body)
        writers.append(writer)
    await asyncio.sleep(3)
    try:
        return await asyncio.to_thread(then)
    finally:
        for writer in writers:
            writer.transport.abort()


def test_large_bodies_that_do_not_end_take_no_more_memory_than_there_is(doors: Doors) -> None:
    door = doors.door

    def resident_mib() -> float:
        pids = [int(row[1]) for row in door.container.top()["Processes"]]
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
        return sum(int(text.split("VmRSS:")[1].split()[0]) for text in texts) / 1024

    assert asyncio.run(unfinished(door.port, 700, resident_mib)) < MEMORY_MIB * 3 / 4
    assert doors.door.ask(CHAT, {"messages": [], "model": "llama"}).status == 200
    assert doors.reached() == [("vllm", CHAT)]


@pytest.mark.parametrize(
    "path",
    ["/sd/v1/completions", "/vllm", "/vllm/", "/vllm/vllm/v1/models", "/vllm/../v1/models",
     "/nobody/v1/models", "/sd/gateway/metrics", "/VLLM/v1/models", "/vllm//v1/models",
     "/vllm/livez", "/vllm/tokenize", "/vllm%2fv1/models"],
)  # fmt: skip
def test_a_prefix_lets_through_no_more_than_its_engine_has(doors: Doors, path: str) -> None:
    assert doors.door.ask(path).status == 404
    assert doors.reached() == []


def test_no_prefix_is_open_without_a_key_but_for_health(doors: Doors) -> None:
    assert doors.door.ask("/vllm/health", key=None).status == 200
    for path in ("/vllm/v1/models", f"/vllm{CHAT}", "/v1/images/generations", "/v1/models"):
        assert doors.door.ask(path, {"model": "llama"}, key=None).status == 401
    assert doors.reached() == []


def test_headers_do_not_grow_with_the_buffer(doors: Doors) -> None:
    headers = {f"X-{number}": "x" * 4000 for number in range(6)}
    assert doors.door.ask("/v1/models", headers=headers).status == 431


def test_the_key_and_the_body_are_not_in_the_log(doors: Doors) -> None:
    doors.door.ask(CHAT, {"model": "qwen", "prompt": "canary-of-a-prompt"})
    assert KEY not in doors.door.log()
    assert "canary-of-a-prompt" not in doors.door.log()
